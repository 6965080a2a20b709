/* Faces on a canvas, with the looks of vision/annotation.py: four corners, and a label in the expression's colour. */

import { colourOf, nameOf, percent } from "./expressions.js";
import { placeLabels } from "./labels.js";

const INK = "#101218";
const PAPER = "#f5f7fa";
const LIGHT_LABELS = new Set(["Angry", "Fear", "Sad"]); // whose colour is dark enough for light letters
const MOSAIC_CELLS = 6;
const MOSAIC_MARGIN = 0.2;
const GONE_MARGIN = 0.5;
const HEAD = 0.7; // how far a head seen from the side goes on behind the face, in widths of the face
const LABEL_BY_FACE = 0.14; // size of a label's letters as a share of its face's side
const SMALLEST_LABEL = 0.7; // the smallest letters, as a share of the largest

/** The largest letters of labels that are drawn into a picture itself, in its pixels. */
export const lettersFor = ({ width, height }) => Math.max(11, Math.min(width, height) / 30);

/**
 * Draw corners and labels of faces onto a canvas.
 *
 * `faces` are as the API has them, with boxes in the pixels of a picture that is `width` wide. `labels`: name the
 * expressions; `numbers`: and number the faces; `letters`: size of the largest letters; `mirrored`: the picture is.
 */
export function drawMarks(canvas, faces, options) {
  const { width, labels = true, numbers = false, mirrored = false, letters = lettersFor(canvas) } = options;
  const context = canvas.getContext("2d");
  const outlines = faces.map((face) => placed(face, canvas, width, mirrored));
  const boxes = outlines.map(boxAround);
  faces.forEach((face, i) => drawCorners(context, outlines[i], colourOf(nameOf(face)), letters));
  if (!labels) return;
  const variants = faces.map((face, i) => labelVariants(context, face, boxes[i], letters, numbers));
  const sizes = variants.map((labels) => labels.map(({ size }) => size));
  placeLabels(boxes, sizes, canvas.width, canvas.height).forEach(({ variant, x, y }, i) => {
    drawLabel(context, variants[i][variant], x, y, nameOf(faces[i]));
  });
}

/** Hide faces of a canvas for good, and the places `gone` where others were lately; options as for `drawMarks`. */
export function hideFaces(canvas, faces, { width, gone = [], mirrored = false }) {
  const context = canvas.getContext("2d");
  gone.forEach((box) => hide(context, boxAround(placed({ box }, canvas, width, mirrored)), GONE_MARGIN));
  faces.forEach((face) => {
    const outline = placed(face, canvas, width, mirrored);
    hide(context, boxAround(headOf(face, outline, mirrored)), MOSAIC_MARGIN);
  });
}

/** The four corners around a face on the canvas, one after the other; those at the forehead from left to right first. */
function placed({ box: [x, y, width, height], corners }, canvas, pictureWidth, mirrored) {
  const scale = canvas.width / pictureWidth;
  const upright = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
  const points = (corners?.length ? corners : upright).map(([left, top]) => [left * scale, top * scale]);
  if (!mirrored) return points;
  const [a, b, c, d] = points.map(([left, top]) => [canvas.width - left, top]);
  return [b, a, d, c];
}

/** Points around all of a head: one that looks to a side goes on at the other. */
function headOf({ yaw, profile }, outline, mirrored) {
  const turned = yaw == null ? 0 : Math.sin((yaw * Math.PI) / 180) * (mirrored ? 1 : -1);
  const sides = yaw == null && profile ? [-1, 1] : [turned];
  const [dx, dy] = [HEAD * (outline[1][0] - outline[0][0]), HEAD * (outline[1][1] - outline[0][1])];
  return outline.concat(sides.flatMap((side) => outline.map(([x, y]) => [x + side * dx, y + side * dy])));
}

function boxAround(points) {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

function drawCorners(context, outline, colour, letters) {
  const side = Math.min(distance(outline[0], outline[1]), distance(outline[1], outline[2]));
  const [radius, arm] = [0.1 * side, 0.24 * side];
  context.beginPath();
  outline.forEach((corner, i) => {
    const [from, to] = [towards(corner, outline[(i + 3) % 4], arm), towards(corner, outline[(i + 1) % 4], arm)];
    context.moveTo(...from);
    context.arcTo(...corner, ...to, radius);
    context.lineTo(...to);
  });
  const thickness = Math.max(2, 0.16 * letters);
  for (const [style, lineWidth] of [[INK, thickness + 2], [colour, thickness]]) {
    Object.assign(context, { strokeStyle: style, lineWidth, lineCap: "round" });
    context.stroke();
  }
}

const distance = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);

/** The point this far from one on the way to another. */
function towards(point, other, far) {
  const share = far / (distance(point, other) || 1);
  return point.map((value, i) => value + share * (other[i] - value));
}

/** A face's label in full, smaller, and as short as it can be. */
function labelVariants(context, face, { width, height }, letters, numbers) {
  const name = nameOf(face);
  const words = face.uncertain ? name : `${name}  ${percent(face.confidence)}`;
  const [full, short] = numbers ? [`${face.id}  ${words}`, `${face.id}`] : [words, name];
  const smallest = SMALLEST_LABEL * letters;
  const size = Math.max(smallest, Math.min(letters, LABEL_BY_FACE * Math.min(width, height)));
  return [[full, size], [full, smallest], [short, smallest]].map(([text, pixels]) => {
    context.font = fontOf(pixels);
    return { text, pixels, size: [context.measureText(text).width + 1.3 * pixels, 1.65 * pixels] };
  });
}

function drawLabel(context, { text, pixels, size: [width, height] }, x, y, name) {
  context.fillStyle = colourOf(name);
  context.beginPath();
  context.roundRect(x, y, width, height, 0.45 * pixels);
  context.fill();
  context.fillStyle = LIGHT_LABELS.has(name) ? PAPER : INK;
  Object.assign(context, { font: fontOf(pixels), textAlign: "center", textBaseline: "middle" });
  context.fillText(text, x + width / 2, y + 0.53 * height);
}

let family;

function fontOf(pixels) {
  family ??= getComputedStyle(document.body).fontFamily;
  return `600 ${pixels}px ${family}`;
}

/** Replace the box and a margin, a share of its size, by so few flat tiles that nobody can be known by them. */
function hide(context, box, margin) {
  const [dx, dy] = [box.width * margin, box.height * margin];
  const place = [box.x - dx, box.y - dy, box.width + 2 * dx, box.height + 2 * dy];
  const tiles = new OffscreenCanvas(MOSAIC_CELLS, MOSAIC_CELLS);
  const small = tiles.getContext("2d");
  small.imageSmoothingQuality = "high";
  small.drawImage(context.canvas, ...place, 0, 0, MOSAIC_CELLS, MOSAIC_CELLS);
  context.imageSmoothingEnabled = false;
  context.drawImage(tiles, ...place);
  context.imageSmoothingEnabled = true;
}
