/* Faces cut out of pictures, upright, and as large as the network takes them; as vision/crops.py and model.py have it. */

import { emptyPicture, resizeArea, resizeLinear, toGrey } from "./pixels.js";

export const FACE_SIDE = 48;
const COLOURS = 3;

/**
 * What is inside a turned square, as a picture of `size` pixels; beyond the edge the pixels at the edge go on. Alpha, which
 * nothing here looks at, is left out.
 */
export function upright({ width, height, channels, data }, corners, size) {
  const [[left, top], [rightX, rightY], , [downX, downY]] = corners;
  const [alongX, alongY] = [(rightX - left) / size, (rightY - top) / size];
  const [acrossX, acrossY] = [(downX - left) / size, (downY - top) / size];
  const turned = emptyPicture(size, size, channels);
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++, at += channels) {
      const x = clamp(rounded(left + (column + 0.5) * alongX + (row + 0.5) * acrossX - 0.5), 0, width - 1);
      const y = clamp(rounded(top + (column + 0.5) * alongY + (row + 0.5) * acrossY - 0.5), 0, height - 1);
      const x0 = Math.floor(x);
      const y0 = Math.floor(y);
      const right = x0 + 1 < width ? channels : 0;
      const below = y0 + 1 < height ? width * channels : 0;
      const i = (y0 * width + x0) * channels;
      for (let channel = 0; channel < Math.min(channels, COLOURS); channel++) {
        const first = i + channel;
        const upper = data[first] + (x - x0) * (data[first + right] - data[first]);
        const lower = data[first + below] + (x - x0) * (data[first + below + right] - data[first + below]);
        turned.data[at + channel] = upper + (y - y0) * (lower - upper) + 0.5;
      }
    }
  }
  return turned;
}

/** To the 32nds of pixels that OpenCV interpolates at. */
const rounded = (place) => Math.floor(32 * place + 0.5) / 32;

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** The face inside these corners of an RGBA picture, grey and turned upright. */
export function cropFace(picture, corners) {
  const [[left, top], [right, down]] = corners;
  const area = around(corners, picture);
  const inside = corners.map(([x, y]) => [x - area.x, y - area.y]);
  return upright(toGrey(picture, area), inside, Math.max(1, Math.round(Math.hypot(right - left, down - top))));
}

/** The part of a picture that turning what is inside these corners reads. */
function around(corners, { width, height }) {
  const [across, down] = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
  const [x, y] = [clamp(Math.floor(Math.min(...across)) - 1, 0, width - 1), clamp(Math.floor(Math.min(...down)) - 1, 0, height - 1)];
  const right = clamp(Math.ceil(Math.max(...across)) + 1, 0, width - 1);
  const bottom = clamp(Math.ceil(Math.max(...down)) + 1, 0, height - 1);
  return { x, y, width: right - x + 1, height: bottom - y + 1 };
}

/** A grey face as the network takes it. */
export function prepare(face) {
  if (face.width === FACE_SIDE && face.height === FACE_SIDE) return face;
  // Averaging keeps what shrinking would skip; enlarging has nothing to average.
  const shrinks = face.width >= FACE_SIDE && face.height >= FACE_SIDE;
  return (shrinks ? resizeArea : resizeLinear)(face, FACE_SIDE, FACE_SIDE);
}
