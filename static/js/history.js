/* The last minute of one face, as a chart. */

import { EXPRESSIONS, percent } from "./expressions.js";
import { LayerChart } from "./layers.js";

const SECONDS = 60;
const GAP_SECONDS = 3; // As long as a card waits for its face.

export class History {
  /** Draw into `element`; tell `onReading` in words what is under the pointer, "" when it is not over the chart. */
  constructor(element, onReading) {
    this.times = [];
    this.shares = [];
    this.chart = new LayerChart(element, (index) => onReading(this.#reading(index)));
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
    this.now = now;
    this.chart.draw(this.times, this.shares, now - SECONDS, now);
  }

  #push(time, shares) {
    this.times.push(time);
    this.shares.push(shares);
  }

  #reading(index) {
    const shares = index === null ? null : this.shares[index];
    if (!shares) return "";
    const top = shares.indexOf(Math.max(...shares));
    return `${Math.round(this.now - this.times[index])} s ago: ${EXPRESSIONS[top]} ${percent(shares[top])}`;
  }
}
