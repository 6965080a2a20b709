/* The last minute of one face as a stream of seven layers, whose heights are the shares of the expressions. */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { EXPRESSIONS, colourOf, percent } from "./expressions.js";

const SECONDS = 60;
const GAP_SECONDS = 3; // As long as a card waits for its face.

export class History {
  /** Draw into `element`; tell `onReading` in words what is under the pointer, "" when it is not over the chart. */
  constructor(element, onReading) {
    this.element = element;
    this.onReading = onReading;
    this.times = [];
    this.shares = [];
    this.#build();
    this.resizing = new ResizeObserver(() => this.plot.setSize(this.#size()));
    this.resizing.observe(element);
  }

  add(time, probabilities) {
    const last = this.times.at(-1);
    if (last !== undefined && time <= last) return;
    if (last !== undefined && time - last > GAP_SECONDS) this.#push(last + 0.001, null);
    this.#push(time, EXPRESSIONS.map((name) => probabilities[name]));
    const old = this.times.findIndex((kept) => kept >= time - SECONDS);
    this.times.splice(0, old);
    this.shares.splice(0, old);
  }

  /** Draw the minute that ends at `now` (seconds, on the clock of the times added). */
  draw(now) {
    const layers = EXPRESSIONS.map(() => new Array(this.times.length));
    this.shares.forEach((shares, i) => {
      let height = 1;
      EXPRESSIONS.forEach((_, layer) => {
        layers[layer][i] = shares ? height : null;
        if (shares) height = Math.max(0, height - shares[layer]);
      });
    });
    this.now = now;
    this.plot.setData([this.times, ...layers], false);
    this.plot.setScale("x", { min: now - SECONDS, max: now });
  }

  /** Take the colours of the theme that has just been chosen. */
  recolour() {
    this.plot.destroy();
    this.#build();
  }

  destroy() {
    this.resizing.disconnect();
    this.plot.destroy();
  }

  #push(time, shares) {
    this.times.push(time);
    this.shares.push(shares);
  }

  #size() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  #build() {
    const edge = getComputedStyle(this.element).backgroundColor;
    const options = {
      ...this.#size(),
      padding: [0, 0, 0, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: { x: { time: false, auto: false }, y: { auto: false, range: [0, 1] } },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      series: [{}, ...EXPRESSIONS.map((name) => ({ fill: colourOf(name), stroke: edge, width: 1, points: { show: false } }))],
      hooks: { setCursor: [(plot) => this.onReading(this.#reading(plot.cursor.idx, plot.cursor.left))] },
    };
    this.plot = new uPlot(options, [this.times, ...EXPRESSIONS.map(() => [])], this.element);
  }

  #reading(index, left) {
    const shares = left >= 0 ? this.shares[index] : null;
    if (!shares) return "";
    const top = shares.indexOf(Math.max(...shares));
    return `${Math.round(this.now - this.times[index])} s ago: ${EXPRESSIONS[top]} ${percent(shares[top])}`;
  }
}
