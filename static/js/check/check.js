/* "Check it on my face": the visitor shows what is asked for, and sees how often the app is right. */

import { CheckResults } from "./check-view.js";
import { median } from "./check-results.js";
import { LABELS } from "../faces/expressions.js";
import { faceQuality } from "./face-quality.js";
import { OwnCamera } from "../camera/own-camera.js";
import { keep, load, personal } from "../faces/personal.js";
import { Places, forFrames } from "../camera/places.js";
import { geometricMean, toRow } from "../faces/probabilities.js";
import { Stage } from "../faces/stage.js";

const ROUNDS = 2;
const READ_MS = 2000;
const HOLD_MS = 3000;
const TICK_MS = 50;
const REACTION_MS = 600; // The first moments of holding may still show how the face gets there.
const MIN_FRAMES = 4;

const byId = (id) => document.getElementById(id);
const told = byId("check-script").dataset;
const { version } = told;
const prompts = JSON.parse(told.prompts);
const say = (words) => (byId("announcement").textContent = words);
const show = (...ids) => {
  for (const id of ["intro", "ready", "tools", "results"]) byId(id).hidden = !ids.includes(id);
};

let answers = [];
let qualities = [];
let held = null; // the probabilities seen while an expression is held
let step = null; // ends the present step when called with "skip" or "finish"

/* The camera */

const stage = new Stage(byId("picture"), byId("marks"));
const places = new Places(told.private, forFrames(told), (analyser) => (camera.analyser = analyser));
const camera = new OwnCamera(byId("video"), stage, places.analyser, {
  result: takeIn,
  state: (state, reason) => trouble(reason && `Waiting for the ${state === "reconnecting" ? "app" : "camera"}`, reason),
  lost: () => trouble("Waiting for the app", "Can’t reach the app. Trying again …"),
  fault: (title, words) => {
    step?.("finish");
    stopCamera();
    trouble(title, words);
    show("intro");
  },
});
camera.show({ labels: false, blur: false }); // to see what it takes them for would lead the visitor

function takeIn({ faces, width, height, mirrored }) {
  byId("stage").style.setProperty("--ratio", String(width / height));
  stage.mark(faces, { width, height, mirrored, labels: false });
  const face = faces.toSorted((a, b) => b.box[2] - a.box[2])[0];
  byId("begin").disabled = !face;
  byId("seen").textContent = face ? "Your face is in view. Begin when you like." : "No face is in view. Look towards the camera, with light on your face.";
  if (!held || !face) return;
  held.push(toRow(face.as_seen ?? face.probabilities));
  qualities.push(faceQuality(camera.frame, face.box));
}

function trouble(title, words) {
  byId("trouble").hidden = !title;
  byId("trouble-title").textContent = title;
  byId("trouble-text").textContent = words;
}

function stopCamera() {
  camera.stop();
  byId("stage").hidden = true;
  byId("prompt").hidden = true;
}

byId("start-camera").addEventListener("click", () => {
  trouble("", "");
  show("ready");
  byId("stage").hidden = false;
  camera.start();
});
byId("start-camera").disabled = false; // until now a click would have been lost

/* The check */

byId("begin").addEventListener("click", run);
byId("skip").addEventListener("click", () => step?.("skip"));
byId("finish").addEventListener("click", () => step?.("finish"));

async function run() {
  [answers, qualities] = [[], []];
  show("tools");
  byId("prompt").hidden = false;
  byId("prompt").scrollIntoView({ block: "start" });
  const tasks = Array.from({ length: ROUNDS }, () => shuffled(LABELS)).flat();
  for (const [i, name] of tasks.entries()) {
    byId("number").textContent = `${i + 1} of ${tasks.length}`;
    if ((await ask(name)) === "finish") break;
  }
  finish();
}

/** Ask for one expression, a second time where no face was seen. */
async function ask(name) {
  const again = "No face was seen. Look towards the camera and try once more.";
  for (const how of [prompts[name], again]) {
    const outcome = await take(name, how);
    if (outcome !== "unseen") return outcome;
  }
  return "skip";
}

async function take(name, how) {
  byId("prompt-name").textContent = name;
  byId("prompt-how").textContent = how;
  say(`${name}. ${how}`);
  let rows = [];
  const outcome = (await wait(READ_MS, "Get ready")) ?? (await wait(HOLD_MS, "Hold it", (passed) => {
    if (!held && passed >= REACTION_MS) held = rows;
  }));
  held = null;
  if (outcome) return outcome;
  if (rows.length < MIN_FRAMES) return "unseen";
  answers.push({ shown: LABELS.indexOf(name), probabilities: geometricMean(rows) });
  return "done";
}

/** Wait, and count the seconds down; ends early with what the visitor chose, else with null. */
function wait(duration, words, onTick = () => {}) {
  const started = performance.now();
  byId("prompt").dataset.phase = words;
  return new Promise((resolve) => {
    const end = (outcome) => {
      clearInterval(timer);
      step = null;
      resolve(outcome);
    };
    const tick = () => {
      const passed = performance.now() - started;
      if (passed >= duration) return end(null);
      byId("count").textContent = `${words} ${Math.ceil((duration - passed) / 1000)}`;
      byId("progress").style.transform = `scaleX(${passed / duration})`;
      onTick(passed);
    };
    const timer = setInterval(tick, TICK_MS);
    step = end;
    tick();
  });
}

function shuffled(list) {
  return list.map((item) => [Math.random(), item]).toSorted(([a], [b]) => a - b).map(([, item]) => item);
}

/* The results */

const results = new CheckResults(version, showInUse);

function finish() {
  stopCamera();
  if (!answers.length) {
    show("intro");
    return trouble("Nothing to tell yet", "No expression was shown. Start again when you like.");
  }
  const of = (name) => median(qualities.map((quality) => quality[name]));
  const quality = Object.fromEntries(["size", "brightness", "surroundings", "sharpness"].map((name) => [name, of(name)]));
  show("results");
  results.show(answers, quality);
}

byId("again").addEventListener("click", () => {
  show("intro");
  byId("start-camera").focus();
});

/* What is in use */

function showInUse() {
  const { rest, adaptation } = personal();
  byId("in-use").hidden = !rest && !adaptation;
  byId("in-use-name").textContent = adaptation ? "Adapted to you." : "Compared with your resting face.";
  byId("in-use-words").textContent = "It counts for “My camera” on the live page, in this browser only, until you close this tab or stop using it.";
}

byId("take-back").addEventListener("click", () => {
  keep({});
  showInUse();
  say("It is not used any more.");
});

byId("load").addEventListener("change", async ({ target }) => {
  trouble("", "");
  try {
    await load(target.files[0]);
    showInUse();
    byId("in-use").scrollIntoView({ block: "nearest" });
  } catch (error) {
    trouble("The file cannot be used", error.message);
  }
  target.value = "";
});

addEventListener("pagehide", () => camera.stop());
showInUse();
