/* Whether the app can be reached, for everything on a page that depends on it: all of it says so, and all goes on. */

const ASK_EVERY_MS = 2000;
const PATIENCE_MS = 5000;

export const LOST = "Can’t reach the app. Trying again …";

export class Connection extends EventTarget {
  reachable = true;

  /** `address` answers whenever the app can be reached; `banner` is shown while it cannot. */
  constructor(address, banner) {
    super();
    Object.assign(this, { address, banner });
  }

  /** A request got no answer. */
  lost() {
    if (!this.reachable) return;
    this.#tell(false);
    this.timer = setTimeout(() => this.#ask(), ASK_EVERY_MS);
  }

  /** A request got an answer, whichever. */
  found() {
    if (this.reachable) return;
    clearTimeout(this.timer);
    this.#tell(true);
  }

  /** Resolves when the app can be reached. */
  back() {
    if (this.reachable) return Promise.resolve();
    return new Promise((resolve) => this.addEventListener("change", resolve, { once: true }));
  }

  /** fetch, which also tells whether the app can be reached. */
  async fetch(address, options) {
    try {
      const answer = await fetch(address, options);
      this.found();
      return answer;
    } catch (error) {
      if (!options?.signal?.aborted || error.name === "TimeoutError") this.lost();
      throw error;
    }
  }

  async #ask() {
    try {
      await fetch(this.address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      this.found();
    } catch {
      this.timer = setTimeout(() => this.#ask(), ASK_EVERY_MS);
    }
  }

  #tell(reachable) {
    this.reachable = reachable;
    this.banner.textContent = reachable ? "" : LOST;
    this.banner.hidden = reachable;
    this.dispatchEvent(new Event("change"));
  }
}
