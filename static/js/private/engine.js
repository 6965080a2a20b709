/* Faces and their expressions on the visitor's own device: loads what that takes, once, and answers about pictures. */

import { Calls } from "./calls.js";

const MEMORY = /memory|allocat/i; // in the words of browsers and of the runtime
const NO_ROOM = "This device has too little memory for that at the moment. Close other tabs and programs, and try again.";

export class Engine {
  /** `files`: addresses by name; `settings`: as the app has them. Nothing is loaded before `load`. */
  constructor({ files, settings }) {
    const absolute = Object.entries(files).map(([name, address]) => [name, new URL(address, document.baseURI).href]);
    Object.assign(this, { files: Object.fromEntries(absolute), settings });
  }

  /** Make ready; `onProgress(share)`: 0-1 of what has to be loaded. Throws an Error in words where that fails. */
  load(onProgress = () => {}) {
    this.onProgress = onProgress;
    this.loading ??= this.#load().catch((error) => {
      this.close();
      throw error;
    });
    return this.loading;
  }

  async #load() {
    if (!supported()) throw new Error("This browser is too old for that. Update it, or use another one.");
    this.worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data: { progress } }) => progress !== undefined && this.onProgress(progress));
    this.worker.addEventListener("error", () => this.close(NO_ROOM));
    this.calls = new Calls(this.worker);
    await this.#call("load", { files: this.files, settings: this.settings });
  }

  /** The faces of a video's next frame, an ImageBitmap that is used up: { width, height, faces }, as the API has them. */
  next(bitmap) {
    return this.#call("next", { bitmap, time: performance.now() / 1000 }, [bitmap]);
  }

  /** The faces of a single picture, an ImageBitmap that is used up: { width, height, turned, faces }. */
  still(bitmap) {
    return this.#call("still", { bitmap }, [bitmap]);
  }

  /** Compare a face with its rest, seven probabilities by name, from the next frame on; with null no more. */
  compare(id, rest) {
    return this.#call("compare", { id, rest });
  }

  /** Forget all faces: the next frame is the first of another video. */
  reset() {
    return this.#call("reset");
  }

  /** End, and give the memory back; what was asked is answered with these words, and `load` starts anew. */
  close(words = "The analysis was stopped. Start it again.") {
    this.calls?.end(words);
    this.worker = this.calls = this.loading = null;
  }

  async #call(method, argument, transfer) {
    if (!this.calls) throw new Error("The analysis was stopped. Start it again.");
    return this.calls.call(method, argument, transfer).catch(({ message }) => {
      throw new Error(MEMORY.test(message) ? NO_ROOM : message);
    });
  }
}

/** Whether this browser has what private mode is made with. */
export const supported = () =>
  [globalThis.WebAssembly, globalThis.OffscreenCanvas, globalThis.DecompressionStream, globalThis.Worker].every(Boolean);
