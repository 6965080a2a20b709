/* Seven probabilities in the order of LABELS, and their logarithms; as expressions/probabilities.py has them. */

import { LABELS } from "./expressions.js";

export const NEUTRAL = LABELS.indexOf("Neutral");

const LEAST = 1e-6;

export const logarithms = (row) => row.map((value) => Math.log(Math.max(value, LEAST)));

export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - most));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

/** The seven probabilities whose logarithms are, but for a constant, the means over the rows. */
export function geometricMean(rows) {
  const all = rows.map(logarithms);
  return softmax(LABELS.map((_, k) => all.reduce((sum, row) => sum + row[k], 0) / all.length));
}

export const logOdds = (value) => {
  const within = Math.min(Math.max(value, LEAST), 1 - LEAST);
  return Math.log(within / (1 - within));
};

export const toRow = (named) => LABELS.map((name) => named[name]);

export const toNamed = (row) => Object.fromEntries(LABELS.map((name, k) => [name, Number(row[k].toFixed(7))]));

/** The index of the largest value, the first of equal ones. */
export const largest = (row) => row.indexOf(Math.max(...row));

/** Whether this is an object with a probability for each of the seven expressions and nothing else. */
export function areProbabilities(named) {
  if (named === null || typeof named !== "object" || Object.keys(named).length !== LABELS.length) return false;
  const row = toRow(named);
  return row.every((value) => value >= 0 && value <= 1) && Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 0.05;
}
