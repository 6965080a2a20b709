/* The live page: which camera is looked at, and what the visitor does with it. */

import { FaceList } from "./faces.js";
import { download, png, timestamp } from "./files.js";
import { OwnCamera, cameras } from "./own-camera.js";
import { Rests } from "./face-rest.js";
import { Recorder } from "./recorder.js";
import { ServerView } from "./server-view.js";
import { SourceDialog } from "./source-dialog.js";
import { StatusView } from "./status.js";

const byId = (id) => document.getElementById(id);
const addresses = byId("live-script").dataset;
const options = { labels: true, blur: false };

const rests = new Rests(addresses.rest, Number(addresses.leastConfidence), () => (view === "own" ? views.own.stream : null));
const faces = new FaceList(byId("face-list"), byId("face-card"), byId("no-face"), byId("face-count"), rests);
const status = new StatusView();
const recorder = new Recorder();
const views = {
  server: new ServerView(byId("video"), addresses, status, showResult),
  own: new OwnCamera(byId("own-video"), byId("own-overlay"), addresses.frame, {
    personalise: (result) => rests.personalise(result),
    result: (result) => {
      status.figures(result);
      showResult(result);
    },
    state: showOwnState,
    fault: showConsent,
  }),
};
let view = "server";

function showResult(result) {
  faces.update(result.faces, result.time);
  recorder.add(result);
  if (recorder.recording) byId("record-count").textContent = `${recorder.frames} frame${recorder.frames === 1 ? "" : "s"}`;
}

/* Which camera */

function choose(name) {
  views[view].stop();
  saveRecording();
  faces.clear();
  status.clearFigures();
  view = name;
  byId("main").dataset.view = name;
  if (name === "server") views.server.start();
  else showConsent("Use your own camera", addresses.consent);
}

function showConsent(title, text) {
  byId("consent-title").textContent = title;
  byId("consent-text").textContent = text;
  byId("consent").hidden = false;
  byId("camera-choice").hidden = true;
  status.update({ state: "off", source: "My camera", model: "ready" });
}

async function startOwn(deviceId) {
  byId("consent").hidden = true;
  faces.clear();
  const started = views.own.start(deviceId);
  byId("own-video").addEventListener("playing", listCameras, { once: true });
  await started;
}

function showOwnState(state, reason) {
  const shown = status.status;
  if (shown?.state === state && shown.reason === reason) return;
  const { videoWidth: width, videoHeight: height } = byId("own-video");
  const frame = width ? { width, height } : null;
  status.update({ state, reason, source: "My camera", model: "ready", frame });
}

async function listCameras() {
  const devices = await cameras();
  const select = byId("camera-select");
  select.replaceChildren(...devices.map(({ label, deviceId }, i) => new Option(label || `Camera ${i + 1}`, deviceId)));
  select.value = views.own.deviceId;
  byId("camera-choice").hidden = devices.length < 2;
}

const sources = new SourceDialog(addresses, () => {
  saveRecording();
  faces.clear();
});
byId("change-source").addEventListener("click", () => sources.open());

document.querySelectorAll("input[name=view]").forEach((input) => {
  input.checked = input.value === "server"; // browsers keep a choice over a reload
  input.addEventListener("change", () => choose(input.value));
});
byId("consent-start").addEventListener("click", () => startOwn());
byId("camera-select").addEventListener("change", (event) => startOwn(event.target.value));

/* What is shown, kept and saved */

for (const name of ["labels", "blur"]) {
  byId(name).checked = options[name];
  byId(name).addEventListener("change", (event) => {
    options[name] = event.target.checked;
    Object.values(views).forEach((each) => each.show(options));
  });
}

byId("snapshot").addEventListener("click", async () => {
  download(await png(views[view].snapshot()), `expressions ${timestamp()}.png`);
});

byId("record").addEventListener("click", () => {
  if (recorder.recording) return saveRecording();
  recorder.start();
  byId("record").dataset.recording = "";
});

function saveRecording() {
  if (!recorder.recording) return;
  download(recorder.stop(), `expressions ${timestamp()}.csv`);
  delete byId("record").dataset.recording;
  byId("record-count").textContent = "";
}

byId("full-screen").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else byId("stage").requestFullscreen();
});
byId("full-screen").hidden = !document.fullscreenEnabled;

/* Browsers allow six connections to a server: a page that nobody sees gives its two back, unless it records. */

function rest() {
  if (view === "server" && !recorder.recording) views.server.stop();
}

function resume() {
  if (view === "server" && !views.server.running) views.server.start();
}

document.addEventListener("visibilitychange", () => (document.hidden ? rest() : resume()));
addEventListener("pagehide", () => views[view].stop());
addEventListener("pageshow", (event) => event.persisted && choose(view));
if (!document.hidden) resume();
if (location.hash === "#own") document.querySelector("input[value=own]").click(); // from the page that checks a face
