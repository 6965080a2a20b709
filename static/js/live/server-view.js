/* The server's video in the page: its pictures, and what is seen in them. */

import { LiveStream } from "./live-stream.js";
import { ServerClock } from "./server-clock.js";

export class ServerView {
  /**
   * `addresses`: { live, clock }; `on`: result(result, picture) for each frame that is drawn, with `age` in
   * milliseconds; status(status), lost(), refused(words); `camera`: its name, where there are several.
   */
  constructor(stage, addresses, on, camera = null) {
    Object.assign(this, { stage, on });
    this.clock = new ServerClock(addresses.clock);
    this.stream = new LiveStream(addresses.live, this.clock, {
      ...on,
      picture: (picture, frame) => this.#show(picture, frame),
    }, camera);
  }

  get running() {
    return this.stream.running;
  }

  start() {
    this.stream.start();
  }

  stop() {
    this.stream.stop();
  }

  /** Hide faces or not: the server does it, so that a hidden face never leaves it. */
  show({ blur }) {
    if (this.stream.blur === blur) return;
    this.stream.blur = blur;
    if (blur) this.stage.clear(); // what is there shows faces
    this.stream.reopen();
  }

  snapshot() {
    return this.stage.snapshot();
  }

  #show(picture, frame) {
    this.stage.show(picture);
    this.on.result({ ...frame, age: this.clock.since(frame.time) }, this.stage.canvas);
  }
}
