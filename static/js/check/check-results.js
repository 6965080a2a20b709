/* What the answers of a check tell: how often each way of answering is right, and what may have stood in the way. */

import { adaptedToOthers, Adaptation } from "../faces/adaptation.js";
import { LABELS } from "../faces/expressions.js";
import { NEUTRAL, largest } from "../faces/probabilities.js";
import { RestingFace } from "../faces/resting-face.js";

const FEWEST = 7;
const Z = 1.96;

/**
 * Judge the answers, each with the help of others only.
 *
 * `answers`: [{ shown: index into LABELS, probabilities: seven }]. Returns `ways`, each { key, right, confusion } with
 * a confusion matrix of counts (shown, then taken for); the resting face, if Neutral was shown; and the adaptation, if
 * leave-one-out says that it helps more than the rest does.
 */
export function judge(answers) {
  const rows = answers.map(({ probabilities }) => probabilities);
  const shown = answers.map((answer) => answer.shown);
  const neutral = (except) => rows.filter((_, n) => n !== except && shown[n] === NEUTRAL);
  const ways = [way("seen", rows, shown)];
  if (neutral(-1).length) {
    const compared = rows.map((row, n) => (neutral(n).length ? RestingFace.of(neutral(n)).correct(row) : row));
    ways.push(way("rest", compared, shown));
  }
  const best = Math.max(...ways.map(({ right }) => right));
  const adapted = way("adapted", adaptedToOthers(rows, shown), shown);
  const helps = answers.length >= FEWEST && adapted.right > best;
  if (answers.length >= FEWEST) ways.push(adapted);
  return {
    ways,
    total: answers.length,
    rest: neutral(-1).length ? RestingFace.of(neutral(-1)) : null,
    adaptation: helps ? Adaptation.fit(rows, shown) : null,
  };
}

function way(key, rows, shown) {
  const taken = rows.map(largest);
  const confusion = LABELS.map((_, a) => LABELS.map((__, b) => taken.filter((k, n) => k === b && shown[n] === a).length));
  return { key, right: taken.filter((k, n) => k === shown[n]).length, confusion };
}

/** The 95 % confidence interval of a share, 0-1 (Wilson, 1927). */
export function interval(right, total) {
  const share = right / total;
  const spread = Z ** 2 / total;
  const middle = (share + spread / 2) / (1 + spread);
  const reach = (Z * Math.sqrt((share * (1 - share)) / total + spread / total / 4)) / (1 + spread);
  return [Math.max(0, middle - reach), Math.min(1, middle + reach)];
}

const DARK = 60;
const GLARING = 215;
const AGAINST_LIGHT = 60;
const SMALL = 90;
const BLURRED = 60;

/** What usually helps, judged from the medians of what was seen: { size, brightness, surroundings, sharpness }. */
export function advice({ size, brightness, surroundings, sharpness }) {
  const found = [];
  if (brightness < DARK) found.push("It was dark: sit so that a window or lamp lights your face.");
  else if (surroundings - brightness > AGAINST_LIGHT) found.push("The light came from behind you: turn around, so that it falls on your face.");
  if (brightness > GLARING) found.push("The light was glaring: move a little away from the lamp or window.");
  if (size < SMALL) found.push("Your face was small in the picture: come nearer to the camera.");
  if (sharpness < BLURRED) found.push("The picture was blurred: wipe the camera’s lens, and keep your head still.");
  if (!found.length) found.push("Light, size and sharpness were fine.");
  return [...found, "If you wear glasses, tilt them so that they do not mirror the light, and keep hair out of your brows."];
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
