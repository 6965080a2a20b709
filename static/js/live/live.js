/* The live page: which camera is looked at, and what the visitor does with it. */

import { Cameras } from "./cameras.js";
import { FaceSummary } from "../faces/face-summary.js";
import { FaceList } from "../faces/faces.js";
import { download, png, timestamp } from "../page/files.js";
import { Markers } from "./markers.js";
import { Meter } from "./meter.js";
import { OwnCamera, cameras } from "../camera/own-camera.js";
import { Places, forFrames } from "../camera/places.js";
import { Rests } from "../faces/face-rest.js";
import { Recordings } from "../recording/recordings.js";
import { recall, remember, rememberedSwitches } from "../page/remembered.js";
import { Scene } from "./scene.js";
import { ServerView } from "./server-view.js";
import { SourceDialog } from "./source-dialog.js";
import { Stage } from "../faces/stage.js";
import { StatusView } from "./status.js";
import { say } from "../page/toasts.js";

const VIEW = "view"; // the camera that was chosen, until the tab is closed
const CAMERA = "camera"; // which of the visitor's own

const inTab = () => sessionStorage;
const byId = (id) => document.getElementById(id);
const addresses = byId("live-script").dataset;

const stage = new Stage(byId("video"), byId("marks"));
const ownAnalyser = () => (view === "own" ? places.analyser : null);
const restsOf = (which) => new Rests(addresses.rest, Number(addresses.leastConfidence), ownAnalyser, which);
const rests = restsOf({});
const only = new Scene(stage, new FaceList(byId("face-list"), byId("face-card"), byId("no-face"), rests));
const summary = new FaceSummary(byId("face-count"), byId("minute-bar"));
const meter = new Meter();
const status = new StatusView(meter);
const markers = new Markers(byId("markers"), addresses.markers, () => view === "server" && "sharedMarkers" in addresses);
const recordings = new Recordings(markers, () => status.status?.state === "live");
const news = { result: showResult, lost: showLost };
const places = new Places(addresses.private, forFrames(addresses), (analyser) => {
  const again = views.own.running && places.chosen === "device";
  views.own.stop();
  views.own.analyser = analyser;
  if (again) startOwn(views.own.deviceId);
  else showConsent("Use your own camera", places.words);
});
const views = {
  own: new OwnCamera(byId("own-video"), stage, places.analyser, {
    ...news,
    personalise: (result) => rests.personalise(result),
    state: showOwnState,
    fault: showFault,
  }),
};
let view = "own";
if (addresses.live) {
  view = "server";
  const told = {
    ...news,
    // From here alone: an answer to a request could tell of a state that is over already.
    status: (state) => status.update(state),
    refused: (words) => {
      forgetFaces();
      status.refused(words);
    },
    changed: (name) => {
      forgetFaces();
      if (name) say(`Now shown: ${name}`);
    },
  };
  const tiles = byId("tiles"); // where there are several cameras
  const rests = (camera) => restsOf({ camera });
  views.server = tiles ? new Cameras(tiles, byId("camera-faces"), addresses, rests, told) : new ServerView(stage, addresses, told);
  const changed = () => {
    recordings.save();
    forgetFaces();
  };
  const sources = new SourceDialog(addresses, changed, () => views.server.chosen);
  byId("change-source").addEventListener("click", () => sources.open());
}

/** Show one frame's faces: marks, cards and summary say the same. */
function showResult(result, picture, scene = only) {
  if (!result.camera || result.camera === views.server.chosen) meter.add(result.age);
  scene.show(result, picture, options.labels);
  summary.update(result.camera ? views.server.said : scene.said);
  recordings.add(result);
}

function forgetFaces() {
  only.clear();
  views.server?.clear?.();
  summary.clear();
  meter.clear();
}

function showLost() {
  forgetFaces();
  status.lost();
}

/* Which camera */

function choose(name) {
  views[view].stop();
  recordings.save();
  forgetFaces();
  view = name;
  remember(VIEW, name, inTab);
  byId("main").dataset.view = name;
  if (name === "server") views.server.start();
  else showConsent("Use your own camera", places.words);
}

function showConsent(title, text) {
  forgetFaces();
  recordings.save();
  delete byId("main").dataset.running;
  byId("consent-title").textContent = title;
  byId("consent-text").textContent = text;
  byId("camera-choice").hidden = true;
  status.update({ state: "off", source: "My camera", model: "ready" });
  byId("consent").hidden = false;
}

/** A camera that is not there any more is not asked for again; others are offered. */
function showFault(title, text, gone) {
  showConsent(title, text);
  if (!gone) return;
  remember(CAMERA, null);
  listCameras();
}

async function startOwn(deviceId) {
  byId("consent").hidden = true;
  forgetFaces();
  byId("main").dataset.running = "";
  const started = views.own.start(deviceId);
  byId("own-video").addEventListener("playing", listCameras, { once: true });
  await started;
}

function stopOwn() {
  views.own.stop();
  showConsent("Your camera is off", places.words);
  byId("consent-start").focus();
}

function showOwnState(state, reason) {
  const shown = status.status;
  if (shown?.state === state && shown.reason === reason) return;
  if (state !== "live") forgetFaces();
  const { videoWidth: width, videoHeight: height } = byId("own-video");
  const frame = width ? { width, height } : null;
  status.update({ state, reason, source: "My camera", model: "ready", frame });
}

async function listCameras() {
  const devices = await cameras();
  const select = byId("camera-select");
  select.replaceChildren(...devices.map(({ label, deviceId }) => new Option(label, deviceId)));
  select.value = views.own.deviceId;
  byId("camera-choice").hidden = devices.length < (views.own.running ? 2 : 1);
}

document.querySelectorAll("input[name=view]").forEach((input) => {
  input.checked = input.value === "server"; // browsers keep a choice over a reload, and may not tell of it
  input.addEventListener("change", () => choose(input.value));
});
byId("consent-start").addEventListener("click", () => startOwn(recall(CAMERA, undefined)));
byId("own-stop").addEventListener("click", stopOwn);
byId("camera-select").addEventListener("change", ({ target }) => {
  remember(CAMERA, target.value);
  startOwn(target.value);
});

/* What is shown, kept and saved */

const options = rememberedSwitches((chosen) => Object.values(views).forEach((each) => each.show(chosen)));

byId("snapshot").addEventListener("click", async () => {
  const name = `expressions ${timestamp()}.png`;
  download(await png(views[view].snapshot()), name);
  say(`Saved ${name}`);
});


/* With bars and buttons, so that there is a way back by touch. */
byId("full-screen").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("main").requestFullscreen();
});
byId("full-screen").hidden = !document.fullscreenEnabled;
document.addEventListener("fullscreenchange", () => {
  const full = document.fullscreenElement !== null;
  byId("full-screen").setAttribute("aria-pressed", String(full));
  const words = full ? "Exit full screen" : "Full screen";
  Object.assign(byId("full-screen"), { ariaLabel: words, title: words });
});

/* A page that nobody sees gives its connection and the camera back, unless it records. */

let pausedCamera = null;

function rest() {
  if (recordings.running) return;
  if (view === "own" && views.own.running) pausedCamera = { id: views.own.deviceId };
  views[view].stop();
}

function resume() {
  if (view === "server" && !views.server.running) views.server.start();
  if (view === "own" && pausedCamera) startOwn(pausedCamera.id);
  pausedCamera = null;
}

document.addEventListener("visibilitychange", () => (document.hidden ? rest() : resume()));
addEventListener("pagehide", () => views[view].stop());
addEventListener("pageshow", (event) => event.persisted && choose(view));
if (!views.server) choose("own");
else if (location.hash === "#own" || recall(VIEW, "server", inTab) === "own") document.querySelector("input[value=own]").click(); // from the page that checks a face
else if (!document.hidden) resume();
