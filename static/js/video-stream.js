/* The MJPEG stream in an image element, which by itself would stay on its last picture when the connection breaks. */

const RETRY_MS = 1000;

export class VideoStream {
  constructor(image) {
    this.image = image;
    this.tries = 0;
    image.addEventListener("error", () => this.#retry());
  }

  start() {
    this.stop();
    this.running = true;
    this.tries += 1;
    this.image.src = `${this.image.dataset.src}?view=${this.tries}`;
  }

  stop() {
    clearTimeout(this.timer);
    this.running = false;
    this.image.removeAttribute("src");
  }

  #retry() {
    if (!this.running) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.start(), RETRY_MS);
  }
}
