/* The results of a check as a picture: how often each way is right, and what was taken for what. */

import { LABELS, colourOf, percent } from "../faces/expressions.js";
import { interval } from "./check-results.js";

export const WAYS = { seen: "As seen", rest: "With your resting face", adapted: "Adapted to you" };

const WIDTH = 1000;
const MARGIN = 48;
const BAR = { left: 300, width: 520, step: 64, height: 28 };
const CELL = 92;

/** Draw the results that `judge` returned; return the canvas. */
export function picture({ ways, total }, best) {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = 230 + BAR.step * ways.length + 90 + CELL * 7 + 90;
  const context = canvas.getContext("2d");
  const paint = { context, font: getComputedStyle(document.body).fontFamily, ...LIGHT };
  context.fillStyle = paint.paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  text(paint, `Right in ${best.right} of ${total}`, MARGIN, 90, { size: 44, weight: 700 });
  const [low, high] = interval(best.right, total);
  text(paint, `With so few answers, it may be anything from ${percent(low)} to ${percent(high)}.`, MARGIN, 132, { size: 22, colour: paint.muted });
  ways.forEach((way, i) => drawBar(paint, way, total, 190 + BAR.step * i));
  drawMatrix(paint, best.confusion, 230 + BAR.step * ways.length);
  return canvas;
}

/** Always the light colours: the picture is looked at elsewhere. */
const LIGHT = { paper: "#ffffff", ink: "#17191d", muted: "#5b5f68", line: "#e2dfd7", sunken: "#eceae4" };

function text({ context, font, ink }, words, x, y, { size = 20, weight = 400, colour = ink, align = "left" } = {}) {
  Object.assign(context, { font: `${weight} ${size}px ${font}`, fillStyle: colour, textAlign: align, textBaseline: "alphabetic" });
  context.fillText(words, x, y);
}

function drawBar(paint, { key, right }, total, y) {
  const { context, sunken, ink } = paint;
  const at = (share) => BAR.left + BAR.width * share;
  text(paint, WAYS[key], MARGIN, y + 21, { size: 21, weight: 600 });
  context.fillStyle = sunken;
  context.fillRect(BAR.left, y, BAR.width, BAR.height);
  context.fillStyle = "#3571ef";
  context.fillRect(BAR.left, y, BAR.width * (right / total), BAR.height);
  const [low, high] = interval(right, total);
  Object.assign(context, { strokeStyle: ink, lineWidth: 2 });
  context.beginPath();
  context.moveTo(at(low), y + BAR.height / 2);
  context.lineTo(at(high), y + BAR.height / 2);
  for (const end of [low, high]) {
    context.moveTo(at(end), y + 6);
    context.lineTo(at(end), y + BAR.height - 6);
  }
  context.stroke();
  text(paint, `${right} of ${total}`, WIDTH - MARGIN, y + 21, { size: 21, weight: 600, align: "right" });
}

function drawMatrix(paint, confusion, top) {
  const { context, ink, muted, line } = paint;
  const [left, upper] = [MARGIN + 150, top + 90];
  text(paint, "You showed", MARGIN, upper - 16, { size: 18, colour: muted });
  text(paint, "and it saw", left, upper - 50, { size: 18, colour: muted });
  LABELS.forEach((name, k) => {
    text(paint, name, left + CELL * (k + 0.5), upper - 16, { size: 17, weight: 600, align: "center" });
    text(paint, name, MARGIN, upper + CELL * (k + 0.55), { size: 19, weight: 600 });
  });
  confusion.forEach((row, a) => {
    const count = row.reduce((sum, value) => sum + value, 0);
    row.forEach((value, b) => {
      const [x, y] = [left + CELL * b, upper + CELL * a];
      context.globalAlpha = count ? 0.15 + 0.85 * (value / count) : 0;
      context.fillStyle = colourOf(LABELS[b]);
      if (value) context.fillRect(x, y, CELL - 4, CELL - 4);
      context.globalAlpha = 1;
      Object.assign(context, { strokeStyle: a === b ? ink : line, lineWidth: a === b ? 2 : 1 });
      context.strokeRect(x + 0.5, y + 0.5, CELL - 5, CELL - 5);
      if (value) text(paint, String(value), x + CELL / 2 - 2, y + CELL / 2 + 8, { size: 24, weight: 700, align: "center" });
    });
  });
}
