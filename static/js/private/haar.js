/* The detector of OpenCV's Haar cascades: a search proposes, and a close look decides; as vision/detectors/haar.py. */

import { SAME_FACE, strongest } from "./detector.js";
import { roundEven } from "./geometry.js";
import { cut, shrink, toGrey } from "./pixels.js";
import { Pyramid } from "./pyramid.js";

const WINDOW = 24; // the smallest face, in pixels, that the frontal cascades were trained on
const COARSE_STEP = 1.2; // between one face size and the next in one of many frames
const CLOSE = { reach: 0.25, spread: 1.35, pixels: 64 }; // at something that might be a face
const KNOWN = [{ reach: 0.25, spread: 1.2, pixels: 30 }, { reach: 0.35, spread: 1.35, pixels: 64 }]; // a glance, a wider look

export class Haar {
  minFace = 0.08;
  period = 0.1; // seconds, at least, from one search of a video to the next while there are faces
  turn = 0;

  /** `frontal` proposes, `strict` decides; each a Cascade. `step` between sizes, and `hits` that a face needs more than. */
  constructor(frontal, strict, { step, hits }) {
    Object.assign(this, { frontal, strict, step, hits });
  }

  prepare(picture) {
    return new Pyramid(toGrey(picture));
  }

  /** The faces in a prepared picture; `smallest`: width in pixels; `thorough`: for a single picture, not one of many. */
  async find(pyramid, smallest, { thorough, known = [] }) {
    const found = known.map((face) => this.#confirm(pyramid, face)).filter(Boolean);
    for (const proposal of this.#propose(pyramid, Math.max(WINDOW, smallest), thorough)) {
      if (found.some((other) => proposal.face.overlap(other.face) >= SAME_FACE)) continue;
      const seen = this.#secondLook(pyramid, proposal);
      if (seen) found.push(seen);
    }
    return strongest(found);
  }

  /** Where a face is that was at `near` a moment ago; null if it is not seen. */
  async follow(pyramid, { face }) {
    return this.#confirm(pyramid, face);
  }

  #propose(pyramid, smallest, thorough) {
    if (thorough) {
      const scale = Math.min(1, (2 * WINDOW) / smallest);
      const small = shrink(pyramid.at(0), scale);
      const found = this.frontal.find(small, { step: this.step, hits: this.hits, smallest: smallest * scale });
      return strongest(found.map((proposal) => scaled(proposal, 1 / scale)));
    }
    // One octave of sizes a search, the largest first: all of them would hold a frame up.
    const all = octaves(pyramid, smallest).reverse();
    if (!all.length) return [];
    const { level, low, high } = all[this.turn++ % all.length];
    const sizes = { smallest: low / 2 ** level, largest: high / 2 ** level };
    const found = this.frontal.find(pyramid.at(level), { step: COARSE_STEP, hits: 1, ...sizes });
    return strongest(found.map((proposal) => scaled(proposal, 2 ** level)));
  }

  #secondLook(pyramid, proposal) {
    const strict = this.#look(this.strict, pyramid, proposal.face, CLOSE);
    const seen = strict && this.#look(this.frontal, pyramid, strict.face, CLOSE);
    const score = seen ? seen.score + strict.score : 0;
    return score > 1.5 * this.hits ? detection(seen.face, score, score > 2 * 1.5 * this.hits) : null;
  }

  #confirm(pyramid, near) {
    for (const look of KNOWN) {
      const seen = this.#look(this.strict, pyramid, near, look);
      if (seen) return detection(seen.face, seen.score);
    }
    return null;
  }

  /** The surest face near to where one is expected, of about the expected size. */
  #look(view, pyramid, near, { reach, spread, pixels }) {
    const level = pyramid.levelFor(near.size, pixels);
    const picture = pyramid.at(level);
    const expected = near.scaled(1 / 2 ** level);
    const margin = reach * expected.size;
    const [left, top] = [expected.x, expected.y].map((start) => Math.max(0, roundEven(start - margin)));
    const [right, bottom] = [expected.x, expected.y].map((start) => roundEven(start + expected.size + margin));
    const area = cut(picture, left, top, right - left, bottom - top);
    const scale = Math.min(1, pixels / expected.size);
    if (Math.min(area.width, area.height) * scale < WINDOW) return null;
    const sizes = { smallest: (scale * expected.size) / spread, largest: scale * expected.size * spread };
    const found = view.find(shrink(area, scale), { step: this.step, hits: 1, ...sizes });
    if (!found.length) return null;
    const { face, score } = found.reduce((best, other) => (other.score > best.score ? other : best));
    return { face: face.scaled(1 / scale).moved(left, top).scaled(2 ** level), score };
  }
}

const detection = (face, score, certain = true) => ({ face, score, certain, yaw: null, profile: false });

const scaled = ({ face, score }, factor) => ({ face: face.scaled(factor), score });

/** Levels with their smallest and largest faces, so that each is searched where it is one to two windows wide. */
function octaves(pyramid, low) {
  const { width, height } = pyramid.at(0);
  const largest = Math.min(width, height);
  const found = [];
  while (low <= largest) {
    const level = pyramid.levelFor(low, WINDOW);
    const high = Math.min(largest, WINDOW * 2 ** (level + 1));
    found.push({ level, low, high });
    low = high * 1.0001;
  }
  return found;
}
