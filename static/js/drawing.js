/* Faces on a canvas, with the looks of vision/annotation.py: four corners, and a label in the expression's colour. */

import { colourOf, nameOf, percent } from "./expressions.js";

const INK = "#101218";
const PAPER = "#f5f7fa";
const LIGHT_LABELS = new Set(["Angry", "Fear", "Sad"]); // whose colour is dark enough for light letters
const MOSAIC_CELLS = 6;
const MOSAIC_MARGIN = 0.2;
const GONE_MARGIN = 0.5;
const HEAD = 0.7; // how far a head seen from the side goes on behind the face, in widths of the face

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
  const place = (box, corners) => placed(box, corners, canvas.width / width, mirrored ? canvas.width : null);
  const outlines = faces.map((face) => ({ face, outline: place(face.box, face.corners) }));
  if (blur) {
    gone.forEach((box) => hide(context, boxAround(place(box)), GONE_MARGIN));
    outlines.forEach(({ face, outline }) => hide(context, boxAround(headOf(face, outline, mirrored)), MOSAIC_MARGIN));
  }
  outlines.forEach(({ face, outline }) => drawCorners(context, outline, colourOf(nameOf(face))));
  if (!labels) return;
  outlines.forEach(({ face, outline }, i) => {
    const words = `${nameOf(face)}  ${percent(face.confidence)}`;
    drawLabel(context, boxAround(outline), numbers ? `${i + 1}  ${words}` : words, nameOf(face));
  });
}

/** The four corners around a face on the canvas, one after the other; those at the forehead from left to right first. */
function placed([x, y, width, height], corners, scale, mirrorWidth) {
  const upright = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
  const points = (corners?.length ? corners : upright).map(([left, top]) => [left * scale, top * scale]);
  if (mirrorWidth === null) return points;
  const [a, b, c, d] = points.map(([left, top]) => [mirrorWidth - left, top]);
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

/** What one pixel of a 480-line picture is in this one. */
const unit = ({ canvas }) => Math.min(canvas.width, canvas.height) / 480;

function drawCorners(context, outline, colour) {
  const side = Math.min(distance(outline[0], outline[1]), distance(outline[1], outline[2]));
  const [radius, arm] = [0.1 * side, 0.24 * side];
  context.beginPath();
  outline.forEach((corner, i) => {
    const [from, to] = [towards(corner, outline[(i + 3) % 4], arm), towards(corner, outline[(i + 1) % 4], arm)];
    context.moveTo(...from);
    context.arcTo(...corner, ...to, radius);
    context.lineTo(...to);
  });
  const thickness = Math.max(2, 2.5 * unit(context));
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
