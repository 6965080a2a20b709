/* Pictures as arrays of pixels, and what is done to them before faces are looked for; as vision/pixels.py has it.

   A picture is { width, height, channels, data }, rows from top to bottom: grey with 1 channel, or RGBA with 4. */

import { roundEven } from "./geometry.js";

const [RED, GREEN, BLUE, SHIFT] = [9798, 19235, 3735, 15]; // OpenCV's weights of grey, which are BT.601's

const FINE = 2048; // to which OpenCV's resize rounds the shares between two pixels

export function emptyPicture(width, height, channels) {
  return { width, height, channels, data: new Uint8Array(width * height * channels) };
}

/** A grey copy of an RGBA picture, or of a part of it. */
export function toGrey({ width: rowLength, height: rows, data }, { x = 0, y = 0, width = rowLength, height = rows } = {}) {
  const grey = emptyPicture(width, height, 1);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0, from = 4 * ((y + row) * rowLength + x); column < width; column++, from += 4, to++) {
      grey.data[to] = (RED * data[from] + GREEN * data[from + 1] + BLUE * data[from + 2] + (1 << (SHIFT - 1))) >> SHIFT;
    }
  }
  return grey;
}

/** The picture at `scale` (at most 1) of its size; the picture itself where that is 1. */
function shrink(picture, scale) {
  const width = Math.max(1, roundEven(picture.width * scale));
  const height = Math.max(1, roundEven(picture.height * scale));
  const whole = Math.min(Math.floor(1 / scale), picture.width, picture.height);
  // Averaging a whole number of pixels is many times faster than a broken one; the rest may be interpolated.
  const small = whole > 1 ? averaged(picture, whole) : picture;
  return small.width === width && small.height === height ? small : resizeLinear(small, width, height);
}

/** The picture at `scale` of its size, larger or smaller. */
export function resize(picture, scale) {
  if (scale <= 1) return shrink(picture, scale);
  return resizeLinear(picture, roundEven(picture.width * scale), roundEven(picture.height * scale));
}

/** The means of squares of `side` pixels. */
function averaged({ width, height, channels, data }, side) {
  const small = emptyPicture(Math.floor(width / side), Math.floor(height / side), channels);
  const area = side * side;
  let at = 0;
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let row = 0; row < side; row++) {
          let i = ((y * side + row) * width + x * side) * channels + channel;
          for (let column = 0; column < side; column++, i += channels) sum += data[i];
        }
        small.data[at++] = (sum + area / 2) / area;
      }
    }
  }
  return small;
}

/** Interpolate between the four nearest pixels, in the whole numbers of OpenCV's resize. */
export function resizeLinear({ width: oldWidth, height: oldHeight, channels, data }, width, height) {
  const resized = emptyPicture(width, height, channels);
  const columns = neighbours(oldWidth, width);
  const rows = neighbours(oldHeight, height);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const down = rows.share[y];
    for (let x = 0; x < width; x++) {
      const across = columns.share[x];
      let upper = (rows.first[y] * oldWidth + columns.first[x]) * channels;
      let lower = (rows.second[y] * oldWidth + columns.first[x]) * channels;
      const right = (columns.second[x] - columns.first[x]) * channels;
      for (let channel = 0; channel < channels; channel++, upper++, lower++) {
        const above = (FINE - across) * data[upper] + across * data[upper + right];
        const below = (FINE - across) * data[lower] + across * data[lower + right];
        resized.data[at++] = ((((FINE - down) * (above >> 4)) >> 16) + ((down * (below >> 4)) >> 16) + 2) >> 2;
      }
    }
  }
  return resized;
}

/** For each of `length` places, the two of `from` pixels that it lies between, and its way to the second in 2048ths. */
function neighbours(from, length) {
  const first = new Int32Array(length);
  const second = new Int32Array(length);
  const share = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const place = Math.min(Math.max(((i + 0.5) * from) / length - 0.5, 0), from - 1);
    first[i] = Math.floor(place);
    second[i] = Math.min(first[i] + 1, from - 1);
    share[i] = roundEven((place - first[i]) * FINE);
  }
  return { first, second, share };
}

/** Average over the area that each new pixel covers: what shrinking would skip counts too. For grey pictures. */
export function resizeArea(picture, width, height) {
  const [columns, rows] = [covered(picture.width, width), covered(picture.height, height)];
  const narrow = new Float32Array(picture.height * width);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [i, share] of columns[x]) sum += share * picture.data[y * picture.width + i];
      narrow[y * width + x] = sum;
    }
  }
  const resized = emptyPicture(width, height, 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const [i, share] of rows[y]) sum += share * narrow[i * width + x];
      resized.data[y * width + x] = sum + 0.5;
    }
  }
  return resized;
}

/** For each of `length` places, which of `from` pixels it covers, and the share that each has in it. */
function covered(from, length) {
  const step = from / length;
  return Array.from({ length }, (_, n) => {
    const [start, end] = [n * step, Math.min((n + 1) * step, from)];
    const shares = [];
    for (let i = Math.floor(start); i < Math.ceil(end - 1e-9); i++) {
      shares.push([i, (Math.min(i + 1, end) - Math.max(i, start)) / (end - start)]);
    }
    return shares;
  });
}

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
