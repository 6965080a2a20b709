/* The server's camera or video: its annotated pictures, and what is seen in them. */

import { EventStream } from "./event-stream.js";
import { VideoStream } from "./video-stream.js";

export class ServerView {
  /** `addresses`: { video, events }; `onResult(result)` gets each frame's faces. */
  constructor(canvas, addresses, status, onResult) {
    this.canvas = canvas;
    this.addresses = addresses;
    this.status = status;
    this.video = new VideoStream(canvas, addresses.video, (words) => status.trouble({ video: words }));
    this.events = new EventStream(addresses.events, {
      frame: (result) => {
        status.figures(result);
        onResult(result);
      },
      // From here alone: an answer to a request could tell of a state that is over already.
      status: (state) => status.update(state),
      opened: () => status.trouble({ events: "" }),
      lost: () => {
        status.trouble({ events: "This page tries again by itself. If you stopped the app, start it with “make run”." });
      },
    });
  }

  start() {
    this.running = true;
    this.video.start();
    this.events.start();
  }

  stop() {
    this.running = false;
    this.video.stop();
    this.events.stop();
    this.status.trouble({ video: "", events: "" });
  }

  /** Show labels or not, hide faces or not: the server draws them, so that a hidden face never leaves it. */
  show({ labels, blur }) {
    this.video.url = `${this.addresses.video}?labels=${Number(labels)}&blur=${Number(blur)}`;
    if (this.running) this.video.start();
  }

  /** The picture as it is shown, as a canvas. */
  snapshot() {
    return this.canvas;
  }
}
