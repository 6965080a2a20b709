/* Frames that this device analyses itself: they go no further than to a worker of this page. */

import { Refusal } from "../page/refusal.js";

const SIDE = 640; // the longer side, in pixels, of the frames that are looked at
const WARM_UP = 5; // answers after which code is compiled, and speed can be measured
const MEASURED_MS = 1000;
const FAST_ENOUGH = 8; // answers a second

export class DeviceFrames {
  /** `on`: progress(share) while loading; slow(perSecond) after the first second, if this device is. */
  constructor(engine, on) {
    Object.assign(this, { engine, on, side: SIDE });
  }

  async start() {
    await this.#ready();
    await this.engine.reset();
    Object.assign(this, { answers: 0, measured: null });
  }

  stop() {}

  /** The faces in the next frame, a canvas: { width, height, faces }, as the API has them. */
  async analyse(frame) {
    await this.#ready(); // again, where the worker was ended
    return createImageBitmap(frame).then((bitmap) => this.engine.next(bitmap)).catch(refuse);
  }

  /** An answer is here: after the first second it is known how fast this device is. */
  answered() {
    this.answers += 1;
    if (this.answers === WARM_UP) this.warmAt = performance.now();
    const passed = performance.now() - this.warmAt;
    if (this.measured || this.answers <= WARM_UP || passed < MEASURED_MS) return;
    this.measured = (1000 * (this.answers - WARM_UP)) / passed;
    if (this.measured < FAST_ENOUGH) this.on.slow(this.measured);
  }

  #ready() {
    return this.engine.load(this.on.progress).catch(refuse);
  }

  /** Compare a face with its rest, with null no more; returns what stood in the way, in words, or null. */
  compare(face, rest) {
    return this.engine.compare(face, rest?.record() ?? null).then(() => null, ({ message }) => message);
  }
}

function refuse(error) {
  throw new Refusal(error.message);
}
