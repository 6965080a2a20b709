/* The server's clock, by which pictures say when they were taken. */

import { steadyNow } from "../page/clock.js";

const SAMPLES = 3;
const PATIENCE_MS = 4000;
const GOOD_MS = 30;

export class ServerClock {
  offset = null; // milliseconds that the server's clock is ahead of this one's; null where that is not known yet

  /** `address` answers with JSON whose `time` is in seconds since 1970. */
  constructor(address) {
    this.address = address;
  }

  /** Ask for the time, as Cristian's algorithm does: the quickest answer tells it best. */
  async set() {
    let best = Infinity;
    for (let i = 0; i < SAMPLES && best > GOOD_MS; i++) {
      const asked = performance.now();
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const answer = await fetch(this.address, { cache: "no-store", signal }).catch(() => null);
      const { time } = (await answer?.json().catch(() => null)) ?? {};
      if (!time) return; // the stream will tell that the app is gone
      const took = performance.now() - asked;
      if (took < best) this.offset = 1000 * time + took / 2 - steadyNow();
      best = Math.min(best, took);
    }
  }

  /** How many milliseconds ago `time` (seconds on the server's clock) was; null where that is not known yet. */
  since(time) {
    return this.offset === null ? null : Math.max(0, steadyNow() + this.offset - 1000 * time);
  }
}

/** How long the app took to begin its answer with this page, in milliseconds. */
export function pageAnswerMs() {
  const { responseStart = 0, requestStart = 0 } = performance.getEntriesByType("navigation")[0] ?? {};
  return responseStart - requestStart;
}
