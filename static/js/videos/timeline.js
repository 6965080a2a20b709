/* The expressions of a video over its length: a chart a face, over which one can move through the video, and a table of
   what is shown at the present moment. */

import { Chart } from "../faces/chart.js";
import { axisTime, clock, lengthOf } from "../page/clock.js";
import { EXPRESSIONS, percent } from "../faces/expressions.js";

const KEY_SECONDS = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -Infinity,
  End: Infinity,
};
const MANY = 5; // faces
const MIN_SHARE = 0.005;

export class Timeline {
  /** Fill `element` with the charts of `summary` (a job's summary.json), and tie them to `video`. */
  constructor(element, summary, video) {
    Object.assign(this, { element, video, begin: summary.begin ?? 0, end: summary.duration });
    this.part = (name) => element.querySelector(`.timeline-${name}`);
    this.slider = this.part("charts");
    this.slider.ariaValueMin = this.begin.toFixed(1);
    this.slider.ariaValueMax = this.end.toFixed(1);
    this.charts = [];
    this.show(summary);
    this.#listen();
    this.#follow();
  }

  /** Show these results instead: of the same video, with its faces named, merged or split. */
  show(summary) {
    this.summary = summary;
    this.charts.forEach(({ chart }) => chart.destroy());
    this.part("faces").replaceChildren();
    this.slider.replaceChildren();
    this.part("rows").replaceChildren();
    const { times, faces } = summary.timeline;
    this.element.style.setProperty("--faces", faces.length);
    this.element.toggleAttribute("data-many", faces.length >= MANY);
    this.charts = faces.map((face) => this.#addFace(face, times, summary.faces.find(({ id }) => id === face.id)));
    this.#showTime();
  }

  recolour() {
    this.charts.forEach(({ chart }) => chart.recolour());
  }

  destroy() {
    cancelAnimationFrame(this.request);
    this.charts.forEach(({ chart }) => chart.destroy());
  }

  seek(time) {
    this.video.currentTime = Math.min(Math.max(time, this.begin), this.end);
    this.#showTime();
  }

  #addFace({ id, probabilities }, times, face) {
    this.#describe(face);
    const place = this.slider.appendChild(document.createElement("div"));
    place.className = "timeline-chart chart";
    const columns = EXPRESSIONS.map((name) => probabilities[name]);
    const values = times.map((_, i) => (columns[0][i] === null ? null : columns.map((column) => column[i])));
    const chart = new Chart(place, {
      timeLabel: (time, { min, max }) => axisTime(time, max - min),
      onCursor: (index) => this.#read(chart, index),
      onPick: (time) => this.seek(time),
      onZoom: (zoomed) => this.#zoom(zoomed),
    });
    // Times are the middles of steps; the first and the last step reach to the ends.
    chart.draw([this.begin, ...times, this.end], [values[0], ...values, values.at(-1)], this.begin, this.end);
    const playhead = chart.plot.over.appendChild(document.createElement("div"));
    playhead.className = "playhead";
    return { chart, times, values, row: this.#addRow(face) };
  }

  /** The face above its chart: picture, name, for how long it is seen and what it showed. */
  #describe(face) {
    const words = this.part("faces").appendChild(document.createElement("li"));
    words.className = "timeline-face";
    const picture = pictureOf(face);
    const line = document.createElement("span");
    const shown = Object.entries(face.shares).filter(([, share]) => share >= MIN_SHARE).sort((a, b) => b[1] - a[1]);
    line.append(`${nameOf(face)}, seen for ${lengthOf(face.seconds)}: `);
    shown.forEach(([name, share]) => line.append(swatched(name, share), " "));
    const edit = document.createElement("button");
    Object.assign(edit, { type: "button", className: "button face-edit", textContent: "Edit" });
    edit.setAttribute("aria-label", `Edit ${nameOf(face)}: name it, merge or split`);
    edit.addEventListener("click", () => this.onEdit(face));
    words.append(...(picture ? [picture] : []), line, edit);
  }

  #addRow(face) {
    const row = this.part("rows").insertRow();
    const head = row.appendChild(document.createElement("th"));
    head.scope = "row";
    head.textContent = face.name || face.id;
    row.insertCell().className = "named";
    for (const name of EXPRESSIONS) row.insertCell().dataset.expression = name;
    return row;
  }

  /** Zoom all charts alike. */
  #zoom(zoomed) {
    this.charts.forEach(({ chart }) => chart.zoom(zoomed));
    requestAnimationFrame(() => this.#showTime()); // charts move at the end of the present task
  }

  #read(chart, index) {
    const words = index === null ? "" : chart.reading(index);
    this.part("reading").textContent = words && `${clock(chart.data[0][index], 1)}: ${words}`;
  }

  #listen() {
    this.slider.addEventListener("keydown", (event) => {
      if (event.key in KEY_SECONDS) this.seek(this.video.currentTime + KEY_SECONDS[event.key]);
      else if (!this.charts[0]?.chart.key(event, this.video.currentTime)) return;
      event.preventDefault();
    });
    for (const name of ["in", "out"]) {
      this.part(`zoom-${name}`).addEventListener("click", () => {
        this.charts[0]?.chart.zoomBy(name === "in" ? 0.5 : 2, this.video.currentTime);
      });
    }
    for (const name of ["seeked", "timeupdate", "loadedmetadata"]) this.video.addEventListener(name, () => this.#showTime());
    this.video.addEventListener("play", () => this.#follow());
  }

  /** Keep up with the video while it plays: its own events come only four times a second. */
  #follow() {
    this.#showTime();
    if (!this.video.paused) this.request = requestAnimationFrame(() => this.#follow());
  }

  #showTime() {
    const time = this.video.currentTime;
    for (const { chart, times, values, row } of this.charts) {
      chart.element.querySelector(".playhead").style.left = `${chart.plot.valToPos(time, "x")}px`;
      const step = this.summary.timeline.step;
      fillRow(row, values[Math.max(0, Math.min(Math.floor((time - this.begin) / step), times.length - 1))]);
    }
    this.part("moment").textContent = `At ${clock(time, 1)}`;
    this.slider.ariaValueNow = time.toFixed(1);
    this.slider.ariaValueText = `${time.toFixed(1)} seconds`;
  }
}

const nameOf = (face) => face.name || `Face ${face.id}`;

function pictureOf({ thumbnail }) {
  if (!thumbnail) return null;
  const image = document.createElement("img");
  Object.assign(image, { src: thumbnail, alt: "", className: "face-cut" });
  return image;
}

/** Show what a face shows at one moment; null where it is not seen. */
function fillRow(row, shares) {
  const top = shares && EXPRESSIONS[shares.indexOf(Math.max(...shares))];
  const [, named, ...cells] = row.cells;
  named.textContent = top ?? "Not in view";
  if (top) row.dataset.expression = named.dataset.expression = top;
  else [row, named].forEach((element) => delete element.dataset.expression);
  named.dataset.share = top ? percent(Math.max(...shares)) : "";
  cells.forEach((cell, i) => {
    cell.textContent = shares ? percent(shares[i]) : "–";
    cell.style.setProperty("--share", shares ? percent(shares[i]) : "0%");
  });
}

function swatched(name, share) {
  const span = document.createElement("span");
  span.className = "named";
  span.dataset.expression = name;
  span.textContent = `${name} ${percent(share)}`;
  return span;
}
