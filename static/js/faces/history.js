/* The last minute of one face, as a chart. */

import { Chart } from "./chart.js";
import { EXPRESSIONS } from "./expressions.js";

const SECONDS = 60;
const GAP_SECONDS = 3; // As long as a card waits for its face.
const TICKS = [60, 45, 30, 15, 0];
const KEY_SECONDS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

export class History {
  times = [];
  shares = [];

  add(time, probabilities) {
    const last = this.times.at(-1);
    if (last !== undefined && time <= last) return;
    if (last !== undefined && time - last > GAP_SECONDS) for (const edge of [last + 0.001, time - 0.001]) this.#push(edge, null);
    this.#push(time, EXPRESSIONS.map((name) => probabilities[name]));
    const old = this.times.findIndex((kept) => kept >= time - SECONDS);
    this.times.splice(0, old);
    this.shares.splice(0, old);
  }

  /** Whether at `now` nothing of it is younger than a minute. */
  isOver(now) {
    return this.times.at(-1) < now - SECONDS;
  }

  /** Show the minute in `element`, which has to stand in the page; tell `onReading` in words what is pointed at. */
  open(element, onReading) {
    this.chart ??= new Chart(element, {
      onCursor: (index) => onReading(this.#reading(index)),
      timeLabel: (time, shown, { max }) => (max - time < 0.05 ? "now" : `${Math.round(max - time)} s`),
      splits: (shown, { max }) => (this.chart?.zoomed ? quarters(shown) : TICKS.map((ago) => max - ago)),
    });
    element.onkeydown = (event) => this.#key(event);
  }

  close() {
    this.chart?.destroy();
    this.chart = null;
  }

  /** Draw the minute that ends at `now` (seconds, on the clock of the times added). */
  draw(now) {
    this.now = now;
    this.chart?.draw(this.times, this.shares, now - SECONDS, now);
  }

  #push(time, shares) {
    this.times.push(time);
    this.shares.push(shares);
  }

  #key(event) {
    const at = this.pointed ?? this.now;
    if (event.key in KEY_SECONDS) {
      this.pointed = Math.max(this.times[0], Math.min(at + KEY_SECONDS[event.key], this.times.at(-1)));
      this.chart.point(this.pointed);
    } else if (!this.chart.key(event, at)) return;
    event.preventDefault();
  }

  #reading(index) {
    const words = this.chart.reading(index);
    return words && `${Math.round(this.now - this.times[index])} s ago: ${words}`;
  }
}

const quarters = ({ min, max }) => [0, 1, 2, 3, 4].map((i) => min + (i * (max - min)) / 4);
