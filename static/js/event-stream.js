/* Server-sent events that come back: the browser reconnects after a broken connection but not after an HTTP error. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

export class EventStream {
  /** `handlers`: frame(data), status(data), opened(), lost(). */
  constructor(url, handlers) {
    Object.assign(this, { url, handlers, wait: FIRST_WAIT_MS });
  }

  start() {
    this.stop();
    const source = new EventSource(this.url);
    this.source = source;
    source.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.handlers.opened();
    };
    source.onmessage = (event) => this.handlers.frame(JSON.parse(event.data));
    source.addEventListener("status", (event) => this.handlers.status(JSON.parse(event.data)));
    source.onerror = () => {
      this.handlers.lost();
      source.close();
      this.timer = setTimeout(() => this.start(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
    };
  }

  stop() {
    clearTimeout(this.timer);
    this.source?.close();
  }
}
