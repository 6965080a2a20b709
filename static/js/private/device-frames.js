/* Frames that this device analyses itself: they go no further than to a worker of this page. */

import { Refusal } from "../server-frames.js";

const SIDE = 640; // the longer side, in pixels, of the frames that are looked at
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
    Object.assign(this, { began: null, answers: 0 });
  }

  stop() {}

  /** The faces in the next frame, a canvas: { width, height, faces }, as the API has them. */
  async analyse(frame) {
    await this.#ready(); // again, where the worker was ended
    this.began ??= performance.now();
    return this.engine.next(await createImageBitmap(frame)).catch(refuse);
  }

  /** An answer is here: after the first second it is known how fast this device is. */
  answered() {
    this.answers += 1;
    const passed = performance.now() - this.began;
    if (this.measured || passed < MEASURED_MS) return;
    this.measured = (1000 * this.answers) / passed;
    if (this.measured < FAST_ENOUGH) this.on.slow(this.measured);
  }

  #ready() {
    return this.engine.load(this.on.progress).catch(refuse);
  }

  /** Compare a face with its rest, with null no more; null, as nothing stands in the way. */
  async compare(face, rest) {
    await this.engine.compare(face, rest?.record() ?? null);
    return null;
  }
}

function refuse(error) {
  throw new Refusal(error.message);
}
