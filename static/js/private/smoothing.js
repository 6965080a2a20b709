/* Steadies over time what is said of one face, so that its label neither flickers nor lags: expressions/smoothing.py tells
   how and why. */

import { largest } from "../faces/probabilities.js";

const MARGIN = 0.1;
const PATIENCE = 1; // seconds

export class Smoother {
  /** `timeConstant`: seconds over which probabilities are averaged; `minConfidence`: below it a face is uncertain. */
  constructor(timeConstant, minConfidence) {
    Object.assign(this, { timeConstant, minConfidence, threshold: minConfidence, shown: 0 });
    this.average = this.aboveSince = this.behindSince = null;
  }

  /** The average including these probabilities, seen at `time` in seconds on any clock. */
  update(probabilities, time) {
    const first = this.average === null;
    const elapsed = Math.max(0, time - this.time);
    const kept = first || !this.timeConstant ? 0 : Math.exp(-elapsed / this.timeConstant);
    this.average = probabilities.map((value, k) => (kept ? kept * this.average[k] + (1 - kept) * value : value));
    this.time = time;
    this.#choose(first);
    this.#setThreshold(this.average[this.shown], first);
    return this.average;
  }

  #choose(first) {
    const most = largest(this.average);
    const lead = this.average[most] - this.average[this.shown];
    if (lead === 0) this.behindSince = null;
    else this.behindSince ??= this.time;
    const longBehind = this.behindSince !== null && this.time - this.behindSince >= PATIENCE;
    if (first || longBehind || lead >= MARGIN) [this.shown, this.behindSince] = [most, null];
  }

  #setThreshold(confidence, first) {
    if (confidence < this.minConfidence) {
      this.threshold = this.minConfidence + MARGIN;
      this.aboveSince = null;
      return;
    }
    this.aboveSince ??= this.time;
    const longAbove = this.time - this.aboveSince >= PATIENCE;
    if (first || longAbove || confidence >= this.threshold) this.threshold = this.minConfidence;
  }
}
