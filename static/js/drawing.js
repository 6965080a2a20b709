/* Faces on a canvas, with the looks of vision/annotation.py: four corners, and a label in the expression's colour. */

import { colourOf, nameOf, percent } from "./expressions.js";

const INK = "#101218";
const PAPER = "#f5f7fa";
const LIGHT_LABELS = new Set(["Angry", "Fear", "Sad"]); // whose colour is dark enough for light letters
const MOSAIC_CELLS = 6;
const MOSAIC_MARGIN = 0.2;
const GONE_MARGIN = 0.5;

/**
 * Draw the faces onto the picture that the canvas holds.
 *
 * `faces` are as the API has them, with boxes in the pixels of a picture that is `width` wide. `labels`: name the
 * expressions; `numbers`: and number the faces; `blur`: hide the faces for good, and what is in the boxes `gone`, where
 * others were lately; `mirrored`: the picture is.
 */
export function drawFaces(canvas, faces, options) {
  const { width, labels = true, numbers = false, blur = false, gone = [], mirrored = false } = options;
  const context = canvas.getContext("2d");
  const place = (box) => placedBox(box, canvas.width / width, mirrored ? canvas.width : null);
  const placed = faces.map((face) => ({ face, box: place(face.box) }));
  if (blur) {
    gone.forEach((box) => hide(context, place(box), GONE_MARGIN));
    placed.forEach(({ box }) => hide(context, box, MOSAIC_MARGIN));
  }
  placed.forEach(({ face, box }) => drawCorners(context, box, colourOf(nameOf(face))));
  if (!labels) return;
  placed.forEach(({ face, box }, i) => {
    const words = `${nameOf(face)}  ${percent(face.confidence)}`;
    drawLabel(context, box, numbers ? `${i + 1}  ${words}` : words, nameOf(face));
  });
}

function placedBox([x, y, width, height], scale, mirrorWidth) {
  const left = mirrorWidth === null ? x * scale : mirrorWidth - (x + width) * scale;
  return { x: left, y: y * scale, width: width * scale, height: height * scale };
}

/** What one pixel of a 480-line picture is in this one. */
const unit = ({ canvas }) => Math.min(canvas.width, canvas.height) / 480;

function drawCorners(context, { x, y, width, height }, colour) {
  const side = Math.min(width, height);
  const [radius, arm] = [0.1 * side, 0.24 * side];
  context.beginPath();
  for (const [cornerX, directionX] of [[x, 1], [x + width, -1]]) {
    for (const [cornerY, directionY] of [[y, 1], [y + height, -1]]) {
      context.moveTo(cornerX + directionX * arm, cornerY);
      context.arcTo(cornerX, cornerY, cornerX, cornerY + directionY * arm, radius);
      context.lineTo(cornerX, cornerY + directionY * arm);
    }
  }
  const thickness = Math.max(2, 2.5 * unit(context));
  for (const [style, lineWidth] of [[INK, thickness + 2], [colour, thickness]]) {
    Object.assign(context, { strokeStyle: style, lineWidth, lineCap: "round" });
    context.stroke();
  }
}

function drawLabel(context, box, words, name) {
  const size = Math.max(11, 16 * unit(context));
  const font = getComputedStyle(document.body).fontFamily;
  Object.assign(context, { font: `600 ${size}px ${font}`, textAlign: "center", textBaseline: "middle" });
  const [width, height] = [context.measureText(words).width + 1.3 * size, 1.65 * size];
  const gap = height / 4;
  const above = box.y - height - gap;
  const x = Math.max(0, Math.min(box.x, context.canvas.width - width));
  const y = Math.max(0, Math.min(above < 0 ? box.y + box.height + gap : above, context.canvas.height - height));
  context.fillStyle = colourOf(name);
  context.beginPath();
  context.roundRect(x, y, width, height, 0.45 * size);
  context.fill();
  context.fillStyle = LIGHT_LABELS.has(name) ? PAPER : INK;
  context.fillText(words, x + width / 2, y + 0.53 * height);
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
