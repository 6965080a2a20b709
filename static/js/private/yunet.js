/* The detector YuNet: faces with five points each, looked at closer one by one; as vision/detectors/yunet.py has it.

   A detection is { face: Square, score, yaw, profile }: score 0-1, yaw in degrees, and whether the face is seen from the
   side. */

import { upright } from "./crops.js";
import { Square } from "./geometry.js";
import { emptyPicture, resize } from "./pixels.js";

const PROFILE = 45; // degrees of yaw from which a face is seen from the side
const SCORE = 0.6; // what scores less is no face
const SURE = 0.8; // what scores less has to score that much in a closer look
const SAME_FACE = 0.5; // two detections are one face if this share of the smaller one lies inside the other
const OVERLAP = 0.3; // of detections that share more than this of their union, only the surest is kept
const PIXELS = 12; // the smallest face is shown to the network this wide in one of many frames
const THOROUGH_PIXELS = 20; // the same in a single picture
const LARGEST = 1600; // longer side of what the network is shown at most
const ENLARGED = 4; // how many times a small picture is enlarged for it at most
const TURNS = [-35, 35]; // degrees by which a single picture is also turned
const SIDE = 2; // of the square, in geometric means of the distance between the eyes and that from eyes to mouth
const RISE = 0.03; // by this share of its side the square's middle is above that between eyes and mouth
const NOSE = 0.43; // how far the tip of the nose is before the eyes, in distances between the eyes
const FURTHER = 1.5; // a face is turned by this many times what the points say
const STRAIGHT = 0.7; // degrees of roll below which a picture of a face is upright
const [LOOKS, THOROUGH_LOOKS] = [3, 6]; // how often a new face is looked at closer at most
const LOOK_PIXELS = 112;
const LOOK_ROOM = 1.8; // what is looked at, in widths of the face
const LOOK_NEAR = 0.25; // how far from its middle the face may be, in widths of what is looked at
const STRIDES = [8, 16, 32];
const POINTS = 5;

export class YuNet {
  minFace = 0.04;

  /** `run(pixels, width, height)` runs the network on planes of blue, green and red; it gives its outputs by name. */
  constructor(run) {
    this.run = run;
  }

  /**
   * The faces in a picture; `smallest`: width in pixels; `thorough`: for a single picture, not one of many; `known`: faces
   * that are followed already, and left out.
   */
  async find(picture, smallest, { thorough, known = [] }) {
    const { width, height } = picture;
    const wanted = (thorough ? THOROUGH_PIXELS : PIXELS) / smallest;
    const scale = Math.min(wanted, LARGEST / Math.max(width, height), ENLARGED);
    if (Math.min(width, height) * scale < PIXELS) return [];
    const found = (await this.#rows(resize(picture, scale))).map((row) => scaled(detectionOf(row), 1 / scale));
    for (const turn of thorough ? TURNS : []) found.push(...(await this.#findTurned(picture, scale, turn)));
    const seen = [];
    const isKnown = ({ face }) => known.some((other) => face.overlap(other) >= SAME_FACE);
    for (const detection of strongest(found)) if (!isKnown(detection)) seen.push(await this.#lookCloser(picture, detection, thorough));
    return strongest(seen.filter((detection) => detection && detection.face.size >= smallest));
  }

  /** The face that was detected a moment ago, found again in a picture of it alone; null if it is not seen. */
  async follow(picture, before) {
    return this.#straightened(picture, before, 1, false);
  }

  async #findTurned(picture, scale, turn) {
    const { width, height } = picture;
    const whole = Square.around(width / 2, height / 2, Math.hypot(width, height), turn);
    const rows = await this.#rows(upright(picture, whole.corners(), Math.round(whole.size * scale)));
    return rows.map((row) => {
      const detection = scaled(detectionOf(row), 1 / scale);
      return { ...detection, face: detection.face.within(whole) };
    });
  }

  /** A face as it is found in pictures of it alone; null if it was doubtful and is so still. */
  async #lookCloser(picture, first, thorough) {
    const closer = await this.#straightened(picture, first, thorough ? THOROUGH_LOOKS : LOOKS);
    return Math.max(first.score, closer?.score ?? 0) >= SURE ? (closer ?? first) : null;
  }

  /** A face as it is found in pictures that are turned upright by what the one before said; null if it is not. */
  async #straightened(picture, first, looks, twice = true) {
    let detection = first;
    for (let i = 0; i < looks; i++) {
      const { face } = detection;
      const room = Square.around(...face.middle, face.size * LOOK_ROOM, face.roll);
      const seen = await this.#look(upright(picture, room.corners(), LOOK_PIXELS), twice);
      if (!seen) break;
      const place = seen.face.scaled(room.size / LOOK_PIXELS).within(room);
      detection = { ...seen, face: place.turned(room.roll + FURTHER * seen.face.roll) };
      if (Math.abs(seen.face.roll) < STRAIGHT) break;
    }
    return detection === first ? null : detection;
  }

  /** The face in the middle of a picture: `twice`, the mean of what is seen there and in a mirror, which trembles less. */
  async #look(picture, twice) {
    const seen = await this.#rows(picture);
    if (twice) seen.push(...(await this.#rows(mirror(picture))).map(mirroredRow));
    const middle = new Square(0, 0, LOOK_PIXELS);
    const near = seen.filter((row) => detectionOf(row).face.distance(middle) < LOOK_NEAR);
    return near.length ? detectionOf(mean(near)) : null;
  }

  /** The network's answer: for each face { box: [x, y, width, height], points: [[x, y]], score }. */
  async #rows(picture) {
    const [width, height] = [picture.width, picture.height].map((side) => Math.ceil(side / 32) * 32);
    const outputs = await this.run(planes(picture, width, height), width, height);
    return suppressed(STRIDES.flatMap((stride) => decoded(outputs, stride, width / stride)));
  }
}

/** One detection a face: of those that cover one another, the one with the highest score. */
function strongest(detections) {
  const kept = [];
  for (const detection of detections.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => detection.face.overlap(other.face) < SAME_FACE)) kept.push(detection);
  }
  return kept;
}

/** What one row of the network's answer says. */
function detectionOf({ points, score }) {
  const [rightEye, leftEye, nose, rightMouth, leftMouth] = points;
  const [eyes, mouth] = [half(rightEye, leftEye), half(rightMouth, leftMouth)];
  const length = Math.max(Math.hypot(mouth[0] - eyes[0], mouth[1] - eyes[1]), 1e-6);
  const down = [(mouth[0] - eyes[0]) / length, (mouth[1] - eyes[1]) / length];
  const along = (from, to) => (to[0] - from[0]) * down[1] - (to[1] - from[1]) * down[0];
  const apart = Math.max(along(rightEye, leftEye), 0);
  const middle = half(eyes, mouth);
  // Both are seen shortened where a head is turned, and the nose aside by as much as it stands out.
  const aside = along(middle, nose) / NOSE;
  const yaw = (Math.atan2(aside, apart) * 180) / Math.PI;
  const side = SIDE * Math.sqrt(Math.hypot(apart, aside) * length);
  const [x, y] = middle.map((value, i) => value - RISE * side * down[i]);
  const roll = (Math.atan2(-down[0], down[1]) * 180) / Math.PI;
  return { face: Square.around(x, y, side, roll), score, yaw, profile: Math.abs(yaw) > PROFILE };
}

const half = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

const scaled = (detection, factor) => ({ ...detection, face: detection.face.scaled(factor) });

function mean(rows) {
  const over = (valueOf) => rows.reduce((sum, row) => sum + valueOf(row), 0) / rows.length;
  const points = rows[0].points.map((_, n) => [over(({ points }) => points[n][0]), over(({ points }) => points[n][1])]);
  return { points, score: over(({ score }) => score) };
}

/** A row for the mirror image of a closer look, as it would be without the mirror: left and right change places. */
function mirroredRow({ points, score }) {
  return { points: [1, 0, 2, 4, 3].map((i) => [LOOK_PIXELS - points[i][0], points[i][1]]), score };
}

function mirror({ width, height, channels, data }) {
  const mirrored = emptyPicture(width, height, channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + width - 1 - x) * channels;
      mirrored.data.set(data.subarray(from, from + channels), (y * width + x) * channels);
    }
  }
  return mirrored;
}

/** Blue, green and red of an RGBA picture one after the other, with black at the right and below. */
function planes(picture, width, height) {
  const values = new Float32Array(3 * width * height);
  const size = width * height;
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0, from = 4 * y * picture.width, to = y * width; x < picture.width; x++, from += 4, to++) {
      values[to] = picture.data[from + 2];
      values[to + size] = picture.data[from + 1];
      values[to + 2 * size] = picture.data[from];
    }
  }
  return values;
}

/** The faces that the outputs of one stride tell of; a row of `columns` places, `stride` pixels apart. */
function decoded(outputs, stride, columns) {
  const [classes, objects] = [outputs[`cls_${stride}`], outputs[`obj_${stride}`]];
  const [boxes, points] = [outputs[`bbox_${stride}`], outputs[`kps_${stride}`]];
  const found = [];
  for (let i = 0; i < classes.length; i++) {
    const score = Math.sqrt(share(classes[i]) * share(objects[i]));
    if (score < SCORE) continue;
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const [width, height] = [Math.exp(boxes[4 * i + 2]) * stride, Math.exp(boxes[4 * i + 3]) * stride];
    const [x, y] = [(column + boxes[4 * i]) * stride - width / 2, (row + boxes[4 * i + 1]) * stride - height / 2];
    const place = (n) => [(points[2 * (POINTS * i + n)] + column) * stride, (points[2 * (POINTS * i + n) + 1] + row) * stride];
    found.push({ box: [x, y, width, height], points: Array.from({ length: POINTS }, (_, n) => place(n)), score });
  }
  return found;
}

const share = (value) => Math.min(Math.max(value, 0), 1);

/** The rows that are left where of those that cover each other only the surest is kept. */
function suppressed(rows) {
  const kept = [];
  for (const row of rows.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => shared(row.box, other.box) <= OVERLAP)) kept.push(row);
  }
  return kept;
}

/** Which part of the union of two boxes both have, in whole pixels as OpenCV takes them. */
function shared(one, other) {
  const [[x, y, width, height], [otherX, otherY, otherWidth, otherHeight]] = [one.map(Math.trunc), other.map(Math.trunc)];
  const across = Math.min(x + width, otherX + otherWidth) - Math.max(x, otherX);
  const down = Math.min(y + height, otherY + otherHeight) - Math.max(y, otherY);
  const both = Math.max(0, across) * Math.max(0, down);
  return both / (width * height + otherWidth * otherHeight - both || 1);
}
