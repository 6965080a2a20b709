/* A person's resting face, with which the other faces are compared: expressions/resting.py tells how and why. */

import { NEUTRAL, areProbabilities, geometricMean, largest, logOdds, logarithms, softmax, toNamed, toRow } from "./probabilities.js";

const SUBTRACTED = 0.85;
const NEUTRAL_BONUS = 1.75;
const SURE = [0.8, 0.95];
const FAR = [5, 7];
const LEADS = [0, 0.3];
const STILL = [0.5, 0.7];

export class RestingFace {
  /** `probabilities`: seven, in the order of LABELS. */
  constructor(probabilities) {
    this.probabilities = probabilities;
  }

  /** The resting face of somebody who was seen at rest: one row or more of seven probabilities. */
  static of(rows) {
    return new RestingFace(geometricMean(rows));
  }

  /** What was saved; null where that is no resting face. */
  static fromRecord(record) {
    return areProbabilities(record) ? RestingFace.of([toRow(record)]) : null;
  }

  record() {
    return toNamed(this.probabilities);
  }

  /** Compare seven probabilities with the rest. */
  correct(seen) {
    const rest = logarithms(this.probabilities);
    const bonus = (k) => (k === NEUTRAL ? NEUTRAL_BONUS : 0);
    const compared = softmax(logarithms(seen).map((value, k) => value - SUBTRACTED * rest[k] + bonus(k)));
    const kept = this.#kept(seen, compared);
    return seen.map((value, k) => kept * value + (1 - kept) * compared[k]);
  }

  /** Which part (0-1) of the answer is kept as it is. */
  #kept(seen, compared) {
    const others = seen.with(NEUTRAL, -1);
    const top = largest(others);
    const [strength, neutral, rest] = [seen[top], seen[NEUTRAL], this.probabilities[top]];
    const sure = ramp((strength - rest) / Math.max(1 - rest, 1e-6), SURE);
    const far = ramp(logOdds(strength) - logOdds(rest), FAR) * ramp(strength - neutral, LEADS);
    const still = neutral >= strength ? ramp(compared[NEUTRAL], STILL) : 0;
    return Math.max(sure, far, still);
  }
}

/** How far (0-1) the value is on the way between two limits. */
const ramp = (value, [from, to]) => Math.min(Math.max((value - from) / (to - from), 0), 1);
