/* Keeps the screen on for as long as it is wanted; browsers end that whenever the page is hidden. */

export class WakeLock {
  #wanted = false;
  #lock = null;

  constructor() {
    document.addEventListener("visibilitychange", () => this.#ask());
  }

  hold() {
    this.#wanted = true;
    this.#ask();
  }

  release() {
    this.#wanted = false;
    this.#lock?.release();
    this.#lock = null;
  }

  async #ask() {
    if (!this.#wanted || document.hidden) return;
    const lock = await navigator.wakeLock?.request("screen").catch(() => null); // not with a low battery, for one
    if (this.#wanted) this.#lock = lock;
    else lock?.release();
  }
}
