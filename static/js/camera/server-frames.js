/* Frames that the server analyses: sent one at a time, the next when the answer is here, so that a slow network or server
   makes answers rarer and never late; where answers take long, smaller frames are sent. */

import { Refusal } from "../page/refusal.js";
import { askToCompare } from "../faces/rest-request.js";

const SENT = [
  { side: 640, quality: 0.85 },
  { side: 640, quality: 0.7 },
  { side: 480, quality: 0.65 },
  { side: 400, quality: 0.55 },
  { side: 320, quality: 0.5 },
];
const SLOW_MS = 450; // answers that take longer make the next frames smaller
const QUICK_MS = 250;
const FIRST_PATIENCE_MS = 3000; // for so long answers have to be quick before larger frames are tried
const MAX_PATIENCE_MS = 60_000;
const ANSWER_MS = 10_000;

export class ServerFrames {
  /** `frame` and `rest`: addresses of the API. */
  constructor({ frame, rest }) {
    Object.assign(this, { address: frame, rest });
    this.stream = crypto.getRandomValues(new BigUint64Array(2)).join("");
  }

  async start() {
    this.size = new FrameSize();
  }

  stop() {
    this.sending?.abort();
  }

  /** The longer side, in pixels, of the frames that are wanted. */
  get side() {
    return this.size.present.side;
  }

  /** The faces in the next frame, a canvas: { width, height, faces }, as the API has them. */
  async analyse(frame) {
    const jpeg = await new Promise((resolve) => frame.toBlob(resolve, "image/jpeg", this.size.present.quality));
    const sending = (this.sending = new AbortController());
    const late = setTimeout(() => sending.abort(), ANSWER_MS);
    const request = { method: "POST", headers: { "Content-Type": "image/jpeg" }, body: jpeg, signal: sending.signal };
    try {
      const answer = await fetch(`${this.address}?stream=${this.stream}`, request);
      const content = await answer.json().catch(() => null);
      if (!answer.ok) throw new Refusal(content?.error?.message ?? `The app answered with error ${answer.status}.`);
      return content;
    } finally {
      clearTimeout(late); // also after a failure, or it would end a later request
    }
  }

  /** An answer was here `took` milliseconds after its frame. */
  answered(took) {
    this.size.answered(took);
  }

  /** Compare a face with its rest, with null no more; returns what stood in the way, in words, or null. */
  compare(face, rest) {
    return askToCompare(this.rest, { face, stream: this.stream }, rest);
  }
}

/** How large and how good frames are sent, by how long answers take. */
class FrameSize {
  step = 0;
  patience = FIRST_PATIENCE_MS;
  quickSince = performance.now();

  get present() {
    return SENT[this.step];
  }

  answered(took, now = performance.now()) {
    if (took > QUICK_MS) this.quickSince = now;
    if (took > SLOW_MS && this.step < SENT.length - 1) {
      this.step += 1;
      this.patience = Math.min(2 * this.patience, MAX_PATIENCE_MS);
    } else if (now - this.quickSince > this.patience && this.step > 0) {
      this.step -= 1;
      this.quickSince = now;
    }
  }
}
