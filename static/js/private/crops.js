/* Faces cut out of pictures, upright, and as large as the network takes them; as vision/crops.py and model.py have it. */

import { emptyPicture, resizeArea, resizeLinear } from "./pixels.js";

export const FACE_SIDE = 48;

/** What is inside a turned square, as a picture of `size` pixels; beyond the edge the pixels at the edge go on. */
export function upright(picture, corners, size) {
  const { width, height, channels, data } = picture;
  const [[left, top], [rightX, rightY], , [downX, downY]] = corners;
  const [alongX, alongY] = [(rightX - left) / size, (rightY - top) / size];
  const [acrossX, acrossY] = [(downX - left) / size, (downY - top) / size];
  const turned = emptyPicture(size, size, channels);
  let at = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = clamp(rounded(left + (column + 0.5) * alongX + (row + 0.5) * acrossX - 0.5), width - 1);
      const y = clamp(rounded(top + (column + 0.5) * alongY + (row + 0.5) * acrossY - 0.5), height - 1);
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      const [right, below] = [x0 + 1 < width ? channels : 0, y0 + 1 < height ? width * channels : 0];
      const [across, down] = [x - x0, y - y0];
      let i = (y0 * width + x0) * channels;
      for (let channel = 0; channel < channels; channel++, i++) {
        const upper = data[i] + across * (data[i + right] - data[i]);
        const lower = data[i + below] + across * (data[i + below + right] - data[i + below]);
        turned.data[at++] = upper + down * (lower - upper) + 0.5;
      }
    }
  }
  return turned;
}

/** To the 32nds of pixels that OpenCV interpolates at. */
const rounded = (place) => Math.floor(32 * place + 0.5) / 32;

const clamp = (value, most) => Math.min(Math.max(value, 0), most);

/** The face inside these corners of a grey picture, turned upright. */
export function cropFace(grey, corners) {
  const [[left, top], [right, down]] = corners;
  return upright(grey, corners, Math.max(1, Math.round(Math.hypot(right - left, down - top))));
}

/** A grey face as the network takes it. */
export function prepare(face) {
  if (face.width === FACE_SIDE && face.height === FACE_SIDE) return face;
  // Averaging keeps what shrinking would skip; enlarging has nothing to average.
  const shrinks = face.width >= FACE_SIDE && face.height >= FACE_SIDE;
  return (shrinks ? resizeArea : resizeLinear)(face, FACE_SIDE, FACE_SIDE);
}
