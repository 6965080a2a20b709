/* Tells when a video has a frame that was not taken yet: at once where it has, at the next repaint where none can tell. Of a
   page that nobody sees, browsers tell neither; the timer of a worker goes on there. */

export class NewestFrame {
  #ticks = null;
  #follow = () => this.#tickWhileHidden();

  constructor(video) {
    this.video = video;
    this.#watch();
    this.#tickWhileHidden();
    document.addEventListener("visibilitychange", this.#follow);
  }

  /** Resolves when there is a new frame. */
  next() {
    const come = this.come;
    return come.then(() => {
      if (this.come === come) this.#watch();
    });
  }

  close() {
    document.removeEventListener("visibilitychange", this.#follow);
    this.#ticks?.terminate();
  }

  #watch() {
    this.come = new Promise((resolve) => {
      this.arrived = resolve;
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(resolve);
      else requestAnimationFrame(resolve);
    });
  }

  #tickWhileHidden() {
    this.#ticks?.terminate();
    this.#ticks = document.hidden ? new Worker(new URL("ticks.js", import.meta.url)) : null;
    this.#ticks?.addEventListener("message", () => this.arrived());
  }
}
