/* The expressions of a video over its length: a chart a face, over which one can move through the video. */

import { EXPRESSIONS, percent } from "./expressions.js";
import { LayerChart } from "./layers.js";

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

export class Timeline {
  /** Fill `element` with the charts of `summary` (a job's summary.json), and tie them to `video`. */
  constructor(element, summary, video) {
    Object.assign(this, { video, duration: summary.duration });
    const { times, faces } = summary.timeline;
    this.words = element.querySelector(".timeline-faces");
    this.slider = element.querySelector(".timeline-charts");
    this.playheads = [];
    element.style.setProperty("--faces", faces.length);
    this.charts = faces.map((face) => this.#addFace(face, times, summary.faces.find(({ id }) => id === face.id)));
    this.slider.ariaValueMax = this.duration.toFixed(1);
    this.#listen();
    this.#follow();
  }

  recolour() {
    this.charts.forEach((chart) => chart.recolour());
  }

  destroy() {
    cancelAnimationFrame(this.request);
    this.charts.forEach((chart) => chart.destroy());
  }

  seek(time) {
    this.video.currentTime = Math.min(Math.max(time, 0), this.duration);
    this.#showTime();
  }

  #addFace({ id, probabilities }, times, { seconds, shares }) {
    const words = this.words.appendChild(document.createElement("li"));
    words.className = "timeline-face";
    const seen = Object.entries(shares).filter(([, share]) => share >= 0.005).sort((a, b) => b[1] - a[1]);
    words.append(`Face ${id}, seen for ${seconds.toFixed(1)} s: `);
    seen.forEach(([name, share]) => words.append(swatched(name, share), " "));
    const chart = this.slider.appendChild(document.createElement("div"));
    chart.className = "timeline-chart";
    const columns = EXPRESSIONS.map((name) => probabilities[name]);
    const values = times.map((_, i) => (columns[0][i] === null ? null : columns.map((column) => column[i])));
    const layers = new LayerChart(chart);
    // Times are the middles of steps; the first and the last step reach to the ends.
    layers.draw([0, ...times, this.duration], [values[0], ...values, values.at(-1)], 0, this.duration);
    const playhead = chart.appendChild(document.createElement("div"));
    playhead.className = "playhead";
    this.playheads.push(playhead);
    return layers;
  }

  #listen() {
    const { slider } = this;
    const move = (event) => {
      const { left, width } = slider.getBoundingClientRect();
      this.seek(((event.clientX - left) / width) * this.duration);
    };
    slider.addEventListener("pointerdown", (event) => {
      slider.setPointerCapture(event.pointerId);
      move(event);
    });
    slider.addEventListener("pointermove", (event) => slider.hasPointerCapture(event.pointerId) && move(event));
    slider.addEventListener("keydown", (event) => {
      if (!(event.key in KEY_SECONDS)) return;
      event.preventDefault();
      this.seek(this.video.currentTime + KEY_SECONDS[event.key]);
    });
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
    for (const playhead of this.playheads) playhead.style.left = `${(100 * time) / this.duration}%`;
    this.slider.ariaValueNow = time.toFixed(1);
    this.slider.ariaValueText = `${time.toFixed(1)} seconds`;
  }
}

function swatched(name, share) {
  const span = document.createElement("span");
  span.className = "named";
  span.dataset.expression = name;
  span.textContent = `${name} ${percent(share)}`;
  return span;
}
