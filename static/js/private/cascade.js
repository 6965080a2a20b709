/* A Haar cascade of OpenCV's (Viola and Jones, 2001), read from its XML file and searched with as OpenCV 4 does it in
   modules/objdetect/src/cascadedetect.cpp, so that the same windows are taken for faces. */

import { Square, roundEven } from "./geometry.js";
import { resizeExact } from "./pixels.js";

const LEAST_CONTRAST = 10; // windows whose grey levels have a smaller standard deviation show nothing
const THRESHOLD_SLACK = 1e-5;
const GROUPING = 0.2; // how far apart, in sizes, windows may be that are one face

export class Cascade {
  /** `text`: the XML file. */
  constructor(text) {
    this.window = numbers(all(text, "width")[0])[0]; // side in pixels of the faces that it was trained on
    this.stages = parseStages(text, parseFeatures(text));
  }

  /**
   * The faces in a grey picture as { face, score }, the score being how many overlapping windows took it for one.
   * `step`: ratio between one size and the next; `hits`: a face needs more windows than this; sizes in pixels.
   */
  find(grey, { hits, ...sizes }) {
    return grouped(this.windows(grey, sizes), hits);
  }

  /** The windows, as [x, y, size], that pass for faces. */
  windows(grey, { step, smallest = 0, largest = Infinity }) {
    const limit = Math.min(roundEven(largest), grey.width, grey.height);
    const windows = [];
    for (let factor = 1; ; factor *= step) {
      const size = roundEven(this.window * factor);
      if (size > limit) break;
      if (size >= roundEven(smallest)) this.#search(grey, Math.fround(factor), size, windows);
    }
    return windows;
  }

  /** Add the windows of one size that pass all stages. */
  #search(grey, factor, size, windows) {
    const [width, height] = [roundEven(grey.width / factor), roundEven(grey.height / factor)];
    const small = width === grey.width && height === grey.height ? grey : resizeExact(grey, width, height);
    const integrals = new Integrals(small, this.window);
    const step = factor >= 2 ? 1 : 2;
    for (const stage of this.stages) stage.place(integrals.stride);
    for (let y = 0; y <= height - this.window; y += step) {
      for (let x = 0; x <= width - this.window; x += step) {
        const passed = this.#passed(integrals, x, y);
        if (passed === this.stages.length) windows.push([roundEven(x * factor), roundEven(y * factor), size]);
        else if (passed === 0) x += step; // next to what is clearly no face is no face
      }
    }
  }

  /** How many stages the window at a place passes; -1 where it shows nothing. */
  #passed(integrals, x, y) {
    const norm = integrals.norm(x, y);
    if (norm === null) return -1;
    const start = y * integrals.stride + x;
    for (let i = 0; i < this.stages.length; i++) {
      if (!this.stages[i].passes(integrals.sums, start, norm)) return i;
    }
    return this.stages.length;
  }
}

/** Sums of grey levels and of their squares over all that is above and left of a place. */
class Integrals {
  constructor({ width, height, data }, window) {
    this.side = window - 2; // of the part of a window that its contrast is measured in
    this.stride = width + 1;
    this.sums = new Int32Array(this.stride * (height + 1));
    this.squares = new Float64Array(this.stride * (height + 1));
    for (let y = 0; y < height; y++) {
      let [sum, square] = [0, 0];
      let at = (y + 1) * this.stride + 1;
      for (let x = 0; x < width; x++, at++) {
        const value = data[y * width + x];
        sum += value;
        square += value * value;
        this.sums[at] = this.sums[at - this.stride] + sum;
        this.squares[at] = this.squares[at - this.stride] + square;
      }
    }
  }

  /** By what features of a window are multiplied, so that its contrast does not matter; null where it has none. */
  norm(x, y) {
    const { side } = this;
    const upper = (y + 1) * this.stride + x + 1;
    const lower = upper + side * this.stride;
    const { sums, squares } = this;
    const sum = sums[upper] - sums[upper + side] - sums[lower] + sums[lower + side];
    const square = squares[upper] - squares[upper + side] - squares[lower] + squares[lower + side];
    const area = side * side;
    const deviation = area * square - sum * sum;
    if (deviation <= 0) return null;
    const norm = 1 / Math.sqrt(deviation);
    return area * norm * LEAST_CONTRAST < 1 ? norm : null;
  }
}

/** One stage: decision trees over features, whose leaves' sum has to reach a threshold. In flat arrays, for speed. */
class Stage {
  /** `trees`: each { nodes: [[left, right, feature, threshold]], leaves: [value] }. */
  constructor(threshold, trees, features) {
    this.threshold = threshold - THRESHOLD_SLACK;
    this.roots = Int32Array.from(trees.map((_, i) => trees.slice(0, i).reduce((sum, { nodes }) => sum + nodes.length, 0)));
    const firstLeaves = trees.map((_, i) => trees.slice(0, i).reduce((sum, { leaves }) => sum + leaves.length, 0));
    const nodes = trees.flatMap(({ nodes: own }, i) =>
      // Above zero, a child is a node; else it is minus a leaf, here minus one more so that no leaf is zero.
      own.map(([left, right, ...rest]) => [
        ...[left, right].map((child) => (child > 0 ? this.roots[i] + child : -1 - (firstLeaves[i] - child))),
        ...rest,
      ]),
    );
    this.left = Int32Array.from(nodes, ([left]) => left);
    this.right = Int32Array.from(nodes, ([, right]) => right);
    this.thresholds = Float32Array.from(nodes, ([, , , threshold]) => threshold);
    this.leaves = Float32Array.from(trees.flatMap(({ leaves }) => leaves));
    const rectangles = nodes.flatMap(([, , feature]) => [0, 1, 2].map((i) => features[feature][i] ?? [0, 0, 0, 0, 0]));
    this.weights = Float32Array.from(rectangles, ([, , , , weight]) => weight);
    const corners = rectangles.flatMap(([x, y, width, height]) => [[x, y], [x + width, y], [x, y + height], [x + width, y + height]]);
    this.columns = Int32Array.from(corners, ([x]) => x);
    this.rows = Int32Array.from(corners, ([, y]) => y);
    this.offsets = new Int32Array(corners.length);
  }

  /** Say how wide the rows of the sums are. */
  place(stride) {
    const { columns, rows, offsets } = this;
    for (let i = 0; i < offsets.length; i++) offsets[i] = rows[i] * stride + columns[i];
  }

  passes(sums, start, norm) {
    const { roots, left, right, thresholds, leaves, weights, offsets } = this;
    let total = 0;
    for (let tree = 0; tree < roots.length; tree++) {
      let node = roots[tree];
      do {
        let value = weights[3 * node] * inside(sums, start, offsets, 12 * node);
        value += weights[3 * node + 1] * inside(sums, start, offsets, 12 * node + 4);
        const third = weights[3 * node + 2];
        if (third !== 0) value += third * inside(sums, start, offsets, 12 * node + 8);
        node = value * norm < thresholds[node] ? left[node] : right[node];
      } while (node >= 0);
      total += leaves[-1 - node];
    }
    return total >= this.threshold;
  }
}

/** The sum of grey levels inside a rectangle of a window that begins at `start`. */
function inside(sums, start, offsets, at) {
  return sums[start + offsets[at]] - sums[start + offsets[at + 1]] - sums[start + offsets[at + 2]] + sums[start + offsets[at + 3]];
}

const numbers = (text) => text.trim().split(/\s+/).map(Number);
const all = (text, tag) => [...text.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, "g"))].map(([, inside]) => inside);

/** Each feature's rectangles: [x, y, width, height, weight]. */
function parseFeatures(text) {
  const [features] = all(text, "features");
  return all(features, "rects").map((rects) => all(rects, "_").map(numbers));
}

function parseStages(text, features) {
  const [stages] = text.match(/<stages>[^]*<\/stages>/);
  return stages.split("<maxWeakCount>").slice(1).map((stage) => {
    const [threshold] = all(stage, "stageThreshold").flatMap(numbers);
    const leaves = all(stage, "leafValues").map(numbers);
    const trees = all(stage, "internalNodes").map((nodes, i) => ({ nodes: fours(numbers(nodes)), leaves: leaves[i] }));
    return new Stage(threshold, trees, features);
  });
}

const fours = (list) => Array.from({ length: list.length / 4 }, (_, i) => list.slice(4 * i, 4 * i + 4));

/** Windows that nearly cover each other as one face, where there are more than `hits`; as OpenCV's groupRectangles. */
function grouped(windows, hits) {
  const groups = similar(windows).map((group) => {
    const mean = (i) => roundEven(Math.fround(group.reduce((sum, window) => sum + window[i], 0) * Math.fround(1 / group.length)));
    return { x: mean(0), y: mean(1), size: mean(2), count: group.length };
  });
  const faces = groups.filter(({ count }) => count > hits);
  const inside = (a, b) => {
    const slack = roundEven(b.size * GROUPING);
    const within = a.x >= b.x - slack && a.y >= b.y - slack && a.x + a.size <= b.x + b.size + slack && a.y + a.size <= b.y + b.size + slack;
    return within && (b.count > Math.max(3, a.count) || a.count < 3);
  };
  return faces
    .filter((face) => !faces.some((other) => other !== face && inside(face, other)))
    .map(({ x, y, size, count }) => ({ face: new Square(x, y, size), score: count }));
}

/** Part windows into groups, each of which is held together by pairs that are alike. */
function similar(windows) {
  const parents = windows.map((_, i) => i);
  const root = (i) => (parents[i] === i ? i : (parents[i] = root(parents[i])));
  for (let i = 0; i < windows.length; i++) {
    for (let j = 0; j < i; j++) if (alike(windows[i], windows[j])) parents[root(i)] = root(j);
  }
  const groups = new Map();
  windows.forEach((window, i) => groups.set(root(i), [...(groups.get(root(i)) ?? []), window]));
  return [...groups.values()];
}

function alike([x, y, size], [otherX, otherY, otherSize]) {
  const slack = GROUPING * Math.min(size, otherSize);
  const near = (a, b) => Math.abs(a - b) <= slack;
  return near(x, otherX) && near(y, otherY) && near(x + size, otherX + otherSize) && near(y + size, otherY + otherSize);
}
