/* One video on its way: waiting to be sent, being sent, queued, analysed, its results fetched, done or refused. */

import { clock, estimateOf, lengthOf, timeOfDay } from "../page/clock.js";
import { LOST } from "../page/connection.js";
import { percent } from "../faces/expressions.js";
import { fetchJson } from "../page/fetch-json.js";
import { showIntervals } from "./intervals.js";
import { Timeline } from "./timeline.js";

const CHECK_MS = 60_000;
const BUSY = new Set(["waiting", "sending", "queued", "running", "fetching"]);
const PASSING = new Set([0, 401, 429, 500, 502, 503, 504, 507]); // with these, the same video may be taken later
const CHANGEABLE = new Set(["bad_range", "bad_rest"]); // with these, after a change of the options
const DOWNLOADS = {
  "annotated.mp4": "Video",
  "frames.csv": "CSV",
  "frames.xlsx": "Excel",
  "frames.parquet": "Parquet",
  "frames.json": "JSON",
  "intervals.csv": "Intervals as CSV",
  "intervals.vtt": "Subtitles",
  "intervals.eaf": "ELAN",
  "timeline.png": "Chart",
  "all.zip": "All as ZIP",
};

export class VideoCard {
  /** `templates`: { card, download }. */
  constructor(templates, name, faceDialog) {
    Object.assign(this, { templates, name, faceDialog });
    this.element = templates.card.content.firstElementChild.cloneNode(true);
    this.part = (part) => this.element.querySelector(`.video-${part}`);
    this.part("name").textContent = name;
    this.part("remove").addEventListener("click", () => this.onRemove());
    this.part("retry").addEventListener("click", () => this.onRetry());
    this.part("speed").addEventListener("change", ({ target }) => (this.part("player").playbackRate = Number(target.value)));
    this.isReachable = true;
    this.wait();
  }

  wait() {
    this.#show("waiting", "Waiting", 0);
  }

  /** Say why it is not sent; it may be after a change of the options. */
  refuse(words) {
    this.part("retry").hidden = false;
    this.#show("failed", words);
  }

  /** Send the file, to be analysed as `wanted`; return the job that it becomes, or null where it was refused or stopped. */
  send(file, { blur, fps, start, end, rest }, address, connection) {
    this.#show("sending", "Uploading", 0);
    const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
    this.abort = () => request.abort();
    request.upload.addEventListener("progress", (event) => {
      this.#show("sending", "Uploading", event.loaded / event.total);
    });
    request.upload.addEventListener("load", () => {
      this.abort = null; // the server has it all: a job may come of it, which is better deleted than left there
      this.#show("sending", "Checking the video");
      setTimeout(() => request.abort(), CHECK_MS); // by then it is long over, or nothing will come
    });
    const asked = Object.entries({ fps, start, end }).filter(([, value]) => value);
    request.open("POST", `${address}?${new URLSearchParams([["blur", Number(blur)], ...asked])}`);
    request.responseType = "json";
    const form = new FormData();
    form.append("file", file);
    if (rest) form.append("rest", rest);
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        this.abort = null;
        const job = request.status === 201 ? request.response.job : null;
        if (job) this.update(job);
        else this.#refused(request);
        if (request.status) connection.found();
        else connection.lost();
        resolve(job);
      });
      request.send(form);
    });
  }

  #refused({ status, response }) {
    this.part("retry").hidden = !PASSING.has(status) && !CHANGEABLE.has(response?.error?.code);
    this.#show("failed", response?.error?.message ?? "Can’t reach the app. The video was not uploaded.");
  }

  /** Show a job as the API describes it. */
  update(job) {
    if (this.job?.state === job.state && job.state === "done") return;
    this.job = job;
    const { state, progress, remaining_seconds: remaining } = job;
    if (state === "queued") {
      this.#show(state, waiting(job), 0);
    } else if (state === "running") {
      this.#show(state, remaining === null ? "Analysing" : `Analysing, ${estimateOf(remaining)} left`, progress);
    } else if (state === "failed") {
      this.part("retry").hidden = true;
      this.#show(state, job.error.message);
    } else {
      this.#showResults(job);
    }
  }

  /** Whether there is more to come. */
  get busy() {
    return BUSY.has(this.element.dataset.state);
  }

  get done() {
    return this.element.dataset.state === "done";
  }

  /** Whether the app can be reached: what is on its way says so. */
  set reachable(reachable) {
    this.isReachable = reachable;
    this.#say();
  }

  recolour() {
    this.timeline?.recolour();
  }

  destroy() {
    this.abort?.();
    this.timeline?.destroy();
    this.element.remove();
  }

  #show(state, words, progress = 1) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(this.busy));
    this.part("remove").setAttribute("aria-label", `${this.busy ? "Cancel" : "Delete"} ${this.name}`);
    this.part("progress").value = progress;
    this.words = words;
    this.percentage = state === "sending" || state === "running" ? percent(progress) : "";
    this.#say();
  }

  #say() {
    const known = this.isReachable || !this.busy;
    const words = known ? this.words : LOST;
    if (this.part("state").textContent !== words) this.part("state").textContent = words;
    this.part("percent").textContent = known ? this.percentage : "";
  }

  async #showResults(job) {
    const { id, files } = job;
    this.#show("fetching", "Loading the results");
    const summary = await fetchJson(files["summary.json"]);
    if (!summary) {
      this.job = null; // so that the next look at the queue tries again
      return;
    }
    this.#show("done", describe(summary, job));
    this.onDone();
    this.#addDownloads(files);
    const { begin = 0 } = summary;
    this.part("player").src = `${files["annotated.mp4"]}${begin ? `#t=${begin}` : ""}`;
    this.#fill(summary, files);
    this.timeline.onEdit = (face) => {
      this.faceDialog.open(id, this.timeline.summary, face, this.part("player").currentTime, () => this.#reload(files));
    };
  }

  #fill(summary, files) {
    this.part("timeline").hidden = summary.faces.length === 0;
    if (this.timeline) this.timeline.show(summary);
    else this.timeline = new Timeline(this.part("timeline"), summary, this.part("player"));
    showIntervals(this.part("intervals"), summary, (time) => this.timeline.seek(time));
    this.#addTrack(files["intervals.vtt"]);
    this.part("moments").replaceChildren(...summary.moments.map((moment) => this.#moment(moment, summary, files[moment.file])));
  }

  /** Offer the intervals as subtitles, as they are now; whether they are on stays as it is. */
  #addTrack(address) {
    if (!address) return;
    const player = this.part("player");
    const old = player.querySelector("track");
    const track = document.createElement("track");
    Object.assign(track, { kind: "subtitles", label: "Expressions", srclang: "en", src: address });
    const mode = old?.track.mode;
    old?.remove();
    player.append(track);
    if (mode) track.track.mode = mode;
  }

  /** Faces have been named, merged or split: show the tables and charts as they are now. */
  async #reload(files) {
    const summary = await fetchJson(files["summary.json"]);
    if (summary) this.#fill(summary, files);
  }

  #addDownloads(files) {
    for (const [file, words] of Object.entries(DOWNLOADS)) {
      if (!files[file]) continue;
      const link = this.templates.download.content.firstElementChild.cloneNode(true);
      link.href = `${files[file]}?download=1`;
      link.append(words);
      this.part("downloads").append(link);
    }
  }

  /** A picture of an expression at its strongest; a click goes there in the video. */
  #moment({ expression, confidence, time, face, name }, { faces }, address) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "moment" });
    button.dataset.expression = expression;
    const image = button.appendChild(document.createElement("img"));
    Object.assign(image, { src: address, alt: "", loading: "lazy" });
    const words = button.appendChild(document.createElement("span"));
    words.className = "named";
    words.dataset.expression = expression;
    const who = faces.length > 1 ? `${name || `Face ${face}`}: ` : "";
    words.textContent = `${who}${expression} ${percent(confidence)} at ${clock(time, 1)}`;
    button.addEventListener("click", () => this.timeline.seek(time));
    return button;
  }
}

function waiting({ ahead, starts_in_seconds: wait, estimated_seconds: work }) {
  const before = ahead ? `, ${ahead === 1 ? "1 video" : `${ahead} videos`} ahead` : "";
  return `Waiting${before}${work > 0 ? `, ready in ${estimateOf(wait + work)}` : ""}`;
}

function describe({ begin = 0, duration: end, width, height, faces, timeline, rest }, { expires, blurred, fps }) {
  const number = faces.length === 1 ? "1 face" : `${faces.length || "no"} faces`;
  const left = faces.length - timeline.faces.length;
  const shown = left > 0 ? `, the ${timeline.faces.length} seen longest are shown` : "";
  const until = expires ? ` Kept until ${timeOfDay(expires)}.` : "";
  const part = begin ? `From ${clock(begin, 1)} to ${clock(end, 1)}` : lengthOf(end);
  const rate = fps ? `, ${fps} frame${fps === 1 ? "" : "s"} a second` : "";
  const compared = rest?.faces.length ? " Compared with resting faces." : "";
  const note = rest?.note ? ` ${rest.note}` : "";
  return `${part}, ${width} × ${height}, ${number}${shown}${rate}${blurred ? ", faces blurred" : ""}.${compared}${note}${until}`;
}
