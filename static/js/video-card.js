/* One video on its way: waiting to be sent, being sent, queued, analysed, its results fetched, done or refused. */

import { percent } from "./expressions.js";
import { fetchJson } from "./fetch-json.js";
import { Timeline } from "./timeline.js";

const CHECK_MS = 60_000;
const BUSY = new Set(["waiting", "sending", "queued", "running", "fetching"]);
const DOWNLOADS = {
  "annotated.mp4": "Video",
  "frames.csv": "CSV",
  "frames.xlsx": "Excel",
  "frames.json": "JSON",
  "timeline.png": "Chart",
  "all.zip": "All as ZIP",
};

export class VideoCard {
  constructor(template, downloadTemplate, name) {
    this.downloadTemplate = downloadTemplate;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (part) => this.element.querySelector(`.video-${part}`);
    this.part("name").textContent = name;
    this.part("remove").setAttribute("aria-label", `Delete ${name}`);
    this.part("remove").addEventListener("click", () => this.onRemove());
    this.#show("waiting", "Waiting for its turn", 0);
  }

  /** Send the file; return the job that it becomes, or null where it was refused or stopped. */
  send(file, address) {
    this.#show("sending", "Sending", 0);
    const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
    this.abort = () => request.abort();
    request.upload.addEventListener("progress", (event) => {
      this.#show("sending", "Sending", event.loaded / event.total);
    });
    request.upload.addEventListener("load", () => {
      this.abort = null; // the server has it all: a job may come of it, which is better deleted than left there
      this.#show("sending", "Being checked");
      setTimeout(() => request.abort(), CHECK_MS); // by then it is long over, or nothing will come
    });
    request.open("POST", address);
    request.responseType = "json";
    const form = new FormData();
    form.append("file", file);
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        this.abort = null;
        const job = request.status === 201 ? request.response.job : null;
        if (job) this.update(job);
        else this.#show("failed", request.response?.error?.message ?? "The app does not answer. Is it still running?");
        resolve(job);
      });
      request.send(form);
    });
  }

  /** Show a job as the API describes it. */
  update(job) {
    if (this.job?.state === job.state && job.state === "done") return;
    this.job = job;
    const { state, progress, remaining_seconds: remaining } = job;
    if (state === "queued") {
      this.#show(state, waiting(job), 0);
    } else if (state === "running") {
      this.#show(state, remaining === null ? "Analysing" : `Analysing, ${duration(remaining)} left`, progress);
    } else if (state === "failed") {
      this.#show(state, job.error.message);
    } else {
      this.#showResults(job);
    }
  }

  /** Whether there is more to come. */
  get busy() {
    return BUSY.has(this.element.dataset.state);
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
    this.part("progress").value = progress;
    const percentage = state === "sending" || state === "running" ? percent(progress) : "";
    if (this.part("state").textContent !== words) this.part("state").textContent = words;
    this.part("percent").textContent = percentage;
  }

  async #showResults({ files, expires }) {
    this.#show("fetching", "Fetching the results");
    const summary = await fetchJson(files["summary.json"]);
    if (!summary) {
      this.job = null; // so that the next look at the queue tries again
      return;
    }
    this.#show("done", describe(summary, expires));
    this.#addDownloads(files);
    this.part("player").src = files["annotated.mp4"];
    this.part("timeline").hidden = summary.faces.length === 0;
    this.timeline = new Timeline(this.part("timeline"), summary, this.part("player"));
    this.part("moments").append(...summary.moments.map((moment) => this.#moment(moment, files[moment.file])));
  }

  #addDownloads(files) {
    for (const [file, words] of Object.entries(DOWNLOADS)) {
      if (!files[file]) continue;
      const link = this.downloadTemplate.content.firstElementChild.cloneNode(true);
      link.href = `${files[file]}?download=1`;
      link.append(words);
      this.part("downloads").append(link);
    }
  }

  /** A picture of an expression at its strongest; a click goes there in the video. */
  #moment({ expression, confidence, time }, address) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "moment" });
    button.dataset.expression = expression;
    const image = button.appendChild(document.createElement("img"));
    Object.assign(image, { src: address, alt: "", loading: "lazy" });
    const words = button.appendChild(document.createElement("span"));
    words.className = "named";
    words.dataset.expression = expression;
    words.textContent = `${expression} ${percent(confidence)} at ${clock(time)}`;
    button.addEventListener("click", () => this.timeline.seek(time));
    return button;
  }
}

function waiting({ ahead, starts_in_seconds: wait, estimated_seconds: work }) {
  const before = ahead ? `: ${ahead === 1 ? "1 video is" : `${ahead} videos are`} before it` : "";
  return `Waiting${before}${work > 0 ? `, ready in ${duration(wait + work)}` : ""}`;
}

function describe({ duration: seconds, width, height, faces, timeline }, expires) {
  const number = faces.length === 1 ? "1 face" : `${faces.length || "no"} faces`;
  const left = faces.length - timeline.faces.length;
  const shown = left > 0 ? `, the ${timeline.faces.length} seen longest are shown` : "";
  const until = expires ? ` Kept until ${new Date(1000 * expires).toLocaleTimeString([], { timeStyle: "short" })}.` : "";
  return `${clock(Math.round(seconds))} long, ${width} × ${height}, ${number}${shown}.${until}`;
}

function duration(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `about ${Math.round(seconds)} s`;
  return `about ${Math.round(seconds / 60)} minutes`;
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
