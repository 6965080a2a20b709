/* What the page says about the source and the model: state, reason, countdown, and the pictures that arrive here. */

import { showOutputs } from "./outputs.js";

export const STATES = {
  opening: "Opening",
  live: "Live",
  reconnecting: "Reconnecting",
  ended: "Ended",
  failed: "Not available",
  silent: "No picture",
  dark: "Black picture",
  off: "Off",
  lost: "No connection",
};
const FIGURES_EVERY_MS = 500; // figures that change with every frame cannot be read
const NARROWEST = 9 / 16;
const WIDEST = 16 / 9;
const DEMO_HINT = "This is the demo clip. Choose “Change video” to see something else.";
const LOST = ["Can’t reach the app", "Trying again. This page continues by itself as soon as the app answers."];

const byId = (id) => document.getElementById(id);

/** Change an element's text only where it differs, so that screen readers hear of changes and of nothing else. */
function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export class StatusView {
  /** `meter` tells what the visitor gets. */
  constructor(meter) {
    this.meter = meter;
    this.state = byId("state");
    this.reason = byId("reason");
    setInterval(() => this.#showFigures(), FIGURES_EVERY_MS);
  }

  /** Show a status, from the stream or of the own camera. */
  update(status) {
    this.status = status;
    this.receivedAt = performance.now();
    byId("stage-message").hidden = true;
    this.state.dataset.state = status.state;
    byId("main").dataset.state = status.state;
    byId("main").dataset.model = status.model;
    say(this.state, this.#stateWords());
    say(byId("source-name"), status.demo ? "" : (status.source ?? ""));
    byId("snapshot").disabled = status.state !== "live";
    byId("record").disabled = status.state !== "live" && !("recording" in byId("record").dataset);
    const change = byId("change-source"); // which a site without a server has not
    if (change) change.disabled = status.state === "lost" || "off" in change.dataset;
    const outputs = byId("outputs"); // where there are any
    if (outputs) showOutputs(outputs, status.state === "lost" ? [] : (status.outputs ?? []));
    if (status.state !== "live") this.meter.clear();
    this.#showFigures();
    if (status.state === "live" && status.frame) this.#fitStage(status.frame);
    this.#showModel(status);
    say(byId("announcement"), `${this.#stateWords()}: ${status.source ?? "video"}. ${this.#explanation()}`);
    clearInterval(this.timer);
    if (status.next_try_in != null) this.timer = setInterval(() => this.#showReason(), 500);
    this.#showReason();
  }

  /** The app cannot be reached: nothing that came from it is true any more. */
  lost() {
    if (this.status?.state !== "lost") this.update({ ...this.status, state: "lost", demo: false, reason: "", next_try_in: null });
    this.#cover(...LOST);
  }

  /** The app is there and does not give the video. */
  refused(words) {
    this.update({ ...this.status, state: "failed", demo: false, reason: words, next_try_in: null });
    this.#cover("No video for now", words);
  }

  #cover(title, text) {
    say(byId("stage-message-title"), title);
    say(byId("stage-message-text"), text);
    byId("stage-message").hidden = false;
  }

  #stateWords() {
    return this.status.demo && this.status.state === "live" ? "Demo" : (STATES[this.status.state] ?? this.status.state);
  }

  #showFigures() {
    const { fps, age } = this.meter.read();
    say(byId("fps"), fps ? `${fps.toFixed(fps < 9.95 ? 1 : 0)} fps` : "–");
    say(byId("latency"), age === null ? "–" : age < 995 ? `${Math.round(age)} ms` : `${(age / 1000).toFixed(1)} s`);
  }

  /** Give the stage the picture's shape, within what leaves room for the rest of the page. */
  #fitStage({ width, height }) {
    const ratio = Math.min(Math.max(width / height, NARROWEST), WIDEST);
    byId("main").style.setProperty("--ratio", ratio.toFixed(4));
  }

  #explanation() {
    if (this.status.state === "lost") return LOST[0];
    return this.status.reason || (this.status.demo ? DEMO_HINT : "");
  }

  #showReason() {
    const { next_try_in: wait } = this.status;
    const left = wait == null ? null : Math.ceil(wait - (performance.now() - this.receivedAt) / 1000);
    const countdown = left == null ? "" : left > 0 ? ` Next try in ${left} s.` : " Trying again now.";
    say(this.reason, this.#explanation() + countdown);
  }

  #showModel({ model, model_reason: reason, state }) {
    const notice = byId("model-notice");
    notice.hidden = model === "ready" || state === "lost" || !model;
    notice.dataset.kind = model === "failed" ? "bad" : "";
    const loading = model === "loading";
    say(byId("model-title"), loading ? "The model is loading" : "No expressions for now");
    say(byId("model-text"), loading ? "Expressions appear in a moment." : reason || "The model could not be loaded.");
  }
}
