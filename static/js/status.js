/* What the page says about the source and the model: state, reason, countdown, frames a second, delay. */

const STATES = {
  opening: "Opening",
  live: "Live",
  reconnecting: "Reconnecting",
  ended: "Ended",
  failed: "Not available",
  off: "Off",
};
const FIGURES_EVERY_MS = 500; // figures that change with every frame cannot be read
const NARROWEST = 4 / 3;
const WIDEST = 16 / 9;
const DEMO_HINT = "This is the demo clip. “Change video” shows something else.";

const byId = (id) => document.getElementById(id);

/** Change an element's text only where it differs, so that screen readers hear of changes and of nothing else. */
function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

export class StatusView {
  constructor() {
    this.state = byId("state");
    this.reason = byId("reason");
    this.clearFigures();
  }

  /** Show a status event, or for the own camera the same. */
  update(status) {
    this.status = status;
    this.receivedAt = performance.now();
    this.state.dataset.state = status.state;
    byId("main").dataset.state = status.state;
    byId("main").dataset.model = status.model;
    say(this.state, STATES[status.state] ?? status.state);
    say(byId("source-name"), status.source ?? "");
    byId("snapshot").disabled = status.state !== "live";
    byId("record").disabled = status.state !== "live" && !("recording" in byId("record").dataset);
    if (status.state !== "live") this.clearFigures();
    if (status.state === "live" && status.frame) this.#fitStage(status.frame);
    this.#showModel(status);
    if ("detector_note" in status) say(byId("detector-note"), status.detector_note);
    say(byId("announcement"), `${STATES[status.state]}: ${status.source}. ${this.#explanation()}`);
    clearInterval(this.timer);
    if (status.next_try_in != null) this.timer = setInterval(() => this.#showReason(), 500);
    this.#showReason();
  }

  /** Say over the video what keeps it away; "" where a connection stands again. */
  trouble(words) {
    this.troubles = { ...this.troubles, ...words };
    const { video, events } = this.troubles;
    byId("stage-message").hidden = !video && !events;
    say(byId("stage-message-title"), video ? "The video was refused" : "The app does not answer");
    say(byId("stage-message-text"), video || events || "");
    if (events) say(byId("announcement"), "The app does not answer.");
  }

  figures({ fps, latency_ms: latency }) {
    if (performance.now() - this.figuresAt < FIGURES_EVERY_MS) return;
    this.figuresAt = performance.now();
    this.#showFigures(fps, latency);
  }

  /** Show none until the next frame comes. */
  clearFigures() {
    this.figuresAt = -Infinity;
    this.#showFigures();
  }

  #showFigures(fps, latency) {
    say(byId("fps"), fps ? `${fps.toFixed(fps < 9.95 ? 1 : 0)} fps` : "–"); // 0 is not measured yet
    say(byId("latency"), latency ? `${Math.round(latency)} ms` : "–");
  }

  /** Give the stage the picture's shape, within what leaves room for the rest of the page. */
  #fitStage({ width, height }) {
    const ratio = Math.min(Math.max(width / height, NARROWEST), WIDEST);
    byId("main").style.setProperty("--ratio", ratio.toFixed(4));
  }

  #explanation() {
    return this.status.reason || (this.status.demo ? DEMO_HINT : "");
  }

  #showReason() {
    const { next_try_in: wait } = this.status;
    const left = wait == null ? null : Math.ceil(wait - (performance.now() - this.receivedAt) / 1000);
    const countdown = left == null ? "" : left > 0 ? ` Next try in ${left} s.` : " Trying again now.";
    say(this.reason, this.#explanation() + countdown);
  }

  #showModel({ model, model_reason: reason }) {
    const notice = byId("model-notice");
    notice.hidden = model === "ready";
    notice.dataset.kind = model === "failed" ? "bad" : "";
    const loading = model === "loading";
    say(byId("model-title"), loading ? "The model is being loaded" : "Expressions cannot be named yet");
    say(byId("model-text"), loading ? "Expressions appear in a moment." : reason || "The model could not be loaded.");
  }
}
