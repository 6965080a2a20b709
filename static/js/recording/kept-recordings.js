/* Recordings in this browser, kept as they grow, so that a link, a closed tab or a crash loses none; those of earlier
   visits are offered until they are saved or discarded. */

import { sayNothingIsKept } from "../page/remembered.js";
import { Store } from "../page/store.js";

const WRITE_EVERY_MS = 1000;
const KEPT_MS = 7 * 24 * 3600 * 1000;
const LOCK = "recording ";

export class KeptRecordings {
  #store = new Store("recordings");
  #waiting = [];
  #wroteAt = 0;

  /** A recording begins. */
  begin() {
    this.name = `${Date.now()} ${Math.random()}`;
    this.#wroteAt = performance.now();
    // While this page is there, the recording is its own; where browsers have no locks, others offer it as well.
    navigator.locks?.request(LOCK + this.name, () => new Promise(() => {})).catch(() => {});
  }

  /** Keep a frame of it, within a second. */
  add(frame) {
    this.#waiting.push(frame);
    if (performance.now() - this.#wroteAt >= WRITE_EVERY_MS) this.end();
  }

  /** Keep all of it that waits. */
  async end() {
    const frames = this.#waiting;
    this.#waiting = [];
    this.#wroteAt = performance.now();
    if (!frames.length) return;
    const key = await this.#store.add({ recording: this.name, at: Date.now(), frames });
    if (key === null) sayNothingIsKept();
  }

  /** What earlier visits left, the newest first: { name, frames }. */
  async earlier() {
    const records = await this.#store.all();
    const { held = [] } = (await navigator.locks?.query()) ?? {};
    const recordings = new Map();
    for (const { key, recording, at, frames } of records) {
      if (Date.now() - at > KEPT_MS) this.#store.delete(key);
      else if (!held.some(({ name }) => name === LOCK + recording)) {
        recordings.set(recording, [...(recordings.get(recording) ?? []), ...frames]);
      }
    }
    return [...recordings].reverse().map(([name, frames]) => ({ name, frames }));
  }

  /** Delete one. */
  async forget(name) {
    const records = await this.#store.all();
    await Promise.all(records.filter(({ recording }) => recording === name).map(({ key }) => this.#store.delete(key)));
  }
}
