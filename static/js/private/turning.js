/* Pictures that lie on their side. */

import { emptyPicture } from "./pixels.js";

export const TURNS = [0, 90, 270, 180]; // degrees clockwise; the likeliest first

/** An RGBA picture turned clockwise by quarters. */
export function turned(picture, degrees) {
  if (degrees === 0) return picture;
  const { width, height } = picture;
  const upright = degrees === 180 ? emptyPicture(width, height, 4) : emptyPicture(height, width, 4);
  const [from, to] = [new Uint32Array(picture.data.buffer), new Uint32Array(upright.data.buffer)];
  const place = {
    90: (x, y) => x * height + height - 1 - y,
    180: (x, y) => (height - 1 - y) * width + width - 1 - x,
    270: (x, y) => (width - 1 - x) * height + y,
  }[degrees];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) to[place(x, y)] = from[y * width + x];
  return upright;
}
