/* Shares of the expressions over time, as seven layers of a stream that is always full: a chart that other modules use. */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { EXPRESSIONS, colourOf } from "./expressions.js";

export class LayerChart {
  /** Fill `element`, and stay as large as it is; `onCursor(index, plot)` is told of the pointer's place. */
  constructor(element, onCursor = () => {}) {
    Object.assign(this, { element, onCursor, data: [[], ...EXPRESSIONS.map(() => [])] });
    this.#build();
    this.resizing = new ResizeObserver(() => this.plot.setSize(this.#size()));
    this.resizing.observe(element);
  }

  /** Draw `shares` (lists in EXPRESSIONS order, null where nobody was seen) at `times`, from `min` to `max` seconds. */
  draw(times, shares, min, max) {
    this.data = [times, ...layered(shares)];
    this.range = { min, max };
    this.#redraw();
  }

  /** Take the colours of the theme that has just been chosen. */
  recolour() {
    this.plot.destroy();
    this.#build();
    if (this.range) this.#redraw();
  }

  destroy() {
    this.resizing.disconnect();
    this.plot.destroy();
  }

  #redraw() {
    this.plot.setData(this.data, false);
    this.plot.setScale("x", this.range);
  }

  #size() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  #build() {
    const edge = getComputedStyle(this.element).backgroundColor;
    const layer = (name) => ({ fill: colourOf(name), stroke: edge, width: 0.5, points: { show: false } });
    const options = {
      ...this.#size(),
      padding: [0, 0, 0, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      scales: { x: { time: false, auto: false }, y: { auto: false, range: [0, 1] } },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      series: [{}, ...EXPRESSIONS.map(layer)],
      hooks: { setCursor: [(plot) => this.onCursor(plot.cursor.left >= 0 ? plot.cursor.idx : null)] },
    };
    this.plot = new uPlot(options, this.data, this.element);
  }
}

/** The upper edges of the layers, drawn from the highest to the lowest. */
function layered(shares) {
  const layers = EXPRESSIONS.map(() => new Array(shares.length).fill(null));
  shares.forEach((values, i) => {
    if (!values) return;
    let height = 1;
    values.forEach((share, layer) => {
      layers[layer][i] = height;
      height = Math.max(0, height - share);
    });
  });
  return layers;
}
