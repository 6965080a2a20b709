/* The server's video in the page: its pictures, and what is seen in them. */

import { LiveStream } from "./live-stream.js";
import { ServerClock } from "./server-clock.js";

const HELD_BACK = "Fewer pictures a second: a proxy or virus scanner between this page and the app holds back video.";

export class ServerView {
  /**
   * `addresses`: { live, clock }; `on`: result(result, picture) for each frame that is drawn, with `age` in
   * milliseconds; changed(name) when another video is shown, whose faces have other numbers, with its name if that is
   * another one as well; status(status), lost(), refused(words). `camera`: its name, where there are several.
   */
  constructor(stage, addresses, on, camera = null) {
    Object.assign(this, { stage, on });
    this.clock = new ServerClock(addresses.clock);
    this.stream = new LiveStream(addresses.live, this.clock, {
      ...on,
      status: (status) => on.status(this.stream.single ? { ...status, reason: status.reason || HELD_BACK } : status),
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
    const { video, source } = frame;
    const { shown } = this;
    this.shown = { video, source };
    if (shown && shown.video !== video) this.on.changed(shown.source === source ? "" : source);
    this.stage.show(picture);
    this.on.result({ ...frame, age: this.clock.since(frame.time) }, this.stage.canvas);
  }
}
