/* The live page: joins the video, the event stream, the state and the cards. */

import { EventStream } from "./event-stream.js";
import { FaceList } from "./faces.js";
import { StatusView } from "./status.js";
import { VideoStream } from "./video-stream.js";

const byId = (id) => document.getElementById(id);
const addresses = byId("live-script").dataset;

const faces = new FaceList(byId("face-list"), byId("face-card"), byId("no-face"), byId("face-count"));
const status = new StatusView();
const video = new VideoStream(byId("video"), addresses.video, (words) => status.trouble({ video: words }));

async function fetchStatus() {
  const answer = await fetch(addresses.status);
  if (answer.ok) status.update(await answer.json());
}

const events = new EventStream(addresses.events, {
  frame(result) {
    faces.update(result.faces, result.time);
    status.figures(result);
  },
  status: (state) => status.update(state),
  opened() {
    status.trouble({ events: "" });
    fetchStatus().catch(() => {}); // The next event, or the next connection, brings the state.
  },
  lost() {
    status.trouble({ events: "This page tries again by itself. If you stopped the app, start it with “make run”." });
  },
});

function start() {
  video.start();
  events.start();
}

/** Browsers allow six connections to a server: a page that nobody sees gives its two back. */
function stop() {
  video.stop();
  events.stop();
}

document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => event.persisted && start());
if (!document.hidden) start();
