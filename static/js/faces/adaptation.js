/* A small correction fitted to one person's answers: expressions/adaptation.py tells how and why. */

import { LABELS } from "./expressions.js";
import { logarithms, softmax } from "./probabilities.js";

const SHRINKAGE = 0.3;
const STEPS = 400;

const indices = LABELS.map((_, k) => k);
const sum = (values) => values.reduce((total, value) => total + value, 0);

export class Adaptation {
  /** `weights`: seven rows of seven; `offsets` and `asked`: seven. */
  constructor(weights, offsets, asked) {
    Object.assign(this, { weights, offsets, asked });
  }

  /** Fit to n rows of seven probabilities, and to the n indices of what was shown in them. */
  static fit(rows, shown) {
    const features = rows.map(logarithms);
    const asked = indices.map((k) => shown.includes(k));
    let weights = indices.map((j) => indices.map((k) => Number(j === k)));
    let offsets = indices.map(() => 0);
    const size = sum(features.map((row) => sum(row.map((value) => value * value)))) / rows.length;
    const step = 1 / ((size + 1) / 2 + SHRINKAGE);
    for (let i = 0; i < STEPS && rows.length; i++) {
      const errors = features.map((row, n) =>
        among(map(weights, offsets, row), asked).map((value, k) => (value - Number(shown[n] === k)) / rows.length),
      );
      const pull = (j, k) => sum(errors.map((error, n) => error[j] * features[n][k]));
      weights = weights.map((row, j) =>
        row.map((value, k) => value - step * (pull(j, k) + SHRINKAGE * (value - Number(j === k)))),
      );
      offsets = offsets.map((value, j) => value - step * (sum(errors.map((error) => error[j])) + SHRINKAGE * value));
    }
    return new Adaptation(weights, offsets, asked);
  }

  /** What was saved; null where that is no adaptation. */
  static fromRecord(record) {
    const { weights, offsets, asked } = record ?? {};
    const numbers = (row) => Array.isArray(row) && row.length === LABELS.length && row.every(Number.isFinite);
    const whole = Array.isArray(weights) && weights.length === LABELS.length && weights.every(numbers);
    if (!whole || !numbers(offsets) || !Array.isArray(asked)) return null;
    return new Adaptation(weights, offsets, LABELS.map((name) => asked.includes(name)));
  }

  record() {
    const short = (value) => Number(value.toFixed(6));
    const asked = LABELS.filter((_, k) => this.asked[k]);
    return { weights: this.weights.map((row) => row.map(short)), offsets: this.offsets.map(short), asked };
  }

  /** What seven probabilities become for this person. */
  apply(seen) {
    if (!this.asked.some(Boolean)) return seen;
    const mapped = among(map(this.weights, this.offsets, logarithms(seen)), this.asked);
    const asked = seen.filter((_, k) => this.asked[k]);
    const strongest = Math.max(...asked, Number.MIN_VALUE);
    const other = Math.max(0, ...seen.filter((_, k) => !this.asked[k]));
    const part = Math.max(0, 1 - other / strongest);
    const share = sum(asked);
    return seen.map((value, k) => (this.asked[k] ? (1 - part) * value + part * share * mapped[k] : value));
  }
}

/** Each row after an adaptation to all the others. */
export function adaptedToOthers(rows, shown) {
  const without = (list, n) => list.toSpliced(n, 1);
  return rows.map((row, n) => Adaptation.fit(without(rows, n), without(shown, n)).apply(row));
}

const map = (weights, offsets, row) => weights.map((line, j) => sum(line.map((value, k) => value * row[k])) + offsets[j]);

const among = (logits, asked) => softmax(logits.map((value, k) => (asked[k] ? value : -Infinity)));
