/* Shares of the expressions over time, as seven layers of a stream that is always full: the one chart of all pages.

   It has a time axis, names the layers that are wide enough, reads what is under the pointer, and zooms: by drag, with
   the keys + and -, and back with Escape or a double click. */

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { EXPRESSIONS, colourOf, percent } from "./expressions.js";

const AXIS_HEIGHT = 22;
const AXIS_PADDING = 20; // half of the widest time on the axis
const SMALLEST_DRAG = 6; // pixels; less is a click
const ZOOM_STEP = 2;
const NARROWEST_ZOOM = 0.5; // seconds
const LABEL_ROOM = { height: 17, padding: 10 };
const ABOUT = 0.75;
const DARK_LAYERS = new Set(["Angry", "Fear", "Sad"]);

export class Chart {
  /**
   * Fill `element`, and stay as large as it is. `options`: timeLabel(seconds, range) puts a place on the axis into words;
   * onCursor(index) is told of the pointer's place, null where it leaves; onPick(seconds) of a click; onZoom(range) when
   * the visitor zooms, null when back to everything.
   */
  constructor(element, options) {
    Object.assign(this, { element, options, data: [[], ...EXPRESSIONS.map(() => [])], shares: [], zoomed: null });
    this.range = { min: 0, max: 1 };
    this.#build();
    this.resizing = new ResizeObserver(() => this.plot.setSize(this.#size()));
    this.resizing.observe(element);
  }

  /** Draw `shares` (lists in EXPRESSIONS order, null where nobody was seen) at `times`, from `min` to `max` seconds. */
  draw(times, shares, min, max) {
    this.shares = shares;
    this.data = [times, ...layered(shares)];
    this.range = { min, max };
    this.#redraw();
  }

  /** Show the time from `min` to `max`, in seconds before the end of what there is; null shows all. */
  zoom(zoomed) {
    this.zoomed = zoomed;
    this.#redraw();
  }

  /** Zoom in (or out, with a factor above 1) around `time`. */
  zoomBy(factor, time) {
    const { min, max } = this.#shown();
    const width = Math.max(NARROWEST_ZOOM, (max - min) * factor);
    const from = Math.max(this.range.min, Math.min(time - width / 2, this.range.max - width));
    this.#chooseZoom(from, from + width);
  }

  /** Point at a time, as the pointer does. */
  point(time) {
    this.plot.setCursor({ left: this.plot.valToPos(time, "x"), top: 0 });
  }

  /** What is at an index, in words; "" where nobody was seen. */
  reading(index) {
    const shares = index === null || index === undefined ? null : this.shares[index];
    if (!shares) return "";
    const top = shares.map((share, i) => [share, EXPRESSIONS[i]]).sort((a, b) => b[0] - a[0]);
    return top.slice(0, 2).filter(([share], i) => i === 0 || share >= 0.1).map(([share, name]) => `${name} ${percent(share)}`).join(", ");
  }

  /** Take the colours of the theme that has just been chosen. */
  recolour() {
    this.plot.destroy();
    this.#build();
    this.#redraw();
  }

  destroy() {
    this.resizing.disconnect();
    this.plot.destroy();
  }

  /** Zoom as a key asks for; whether it was one of these. */
  key(event, time) {
    if (event.key === "+" || event.key === "=") this.zoomBy(1 / ZOOM_STEP, time);
    else if (event.key === "-") this.zoomBy(ZOOM_STEP, time);
    else if (event.key === "Escape" && this.zoomed) this.#chooseZoom(this.range.min, this.range.max);
    else return false;
    return true;
  }

  #shown() {
    const { range, zoomed } = this;
    return zoomed ? { min: range.max - zoomed.before, max: range.max - zoomed.until } : range;
  }

  #chooseZoom(min, max) {
    const { range } = this;
    const all = min <= range.min && max >= range.max;
    this.zoom(all ? null : { before: range.max - min, until: range.max - max });
    this.options.onZoom?.(this.zoomed);
  }

  #redraw() {
    this.plot.setData(this.data, false);
    this.plot.setScale("x", this.#shown());
  }

  #size() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  #build() {
    const style = getComputedStyle(this.element);
    const layer = (name) => ({ fill: colourOf(name), stroke: style.backgroundColor, width: 0.5, points: { show: false } });
    const { timeLabel } = this.options;
    const axis = {
      size: AXIS_HEIGHT,
      gap: 4,
      font: `11px ${style.fontFamily}`,
      stroke: style.color,
      space: 56,
      grid: { show: false },
      ticks: { size: 4, width: 1, stroke: style.color },
      values: (plot, splits) => splits.map((time) => timeLabel(time, this.#shown(), this.range)),
    };
    if (this.options.splits) axis.splits = () => this.options.splits(this.#shown(), this.range);
    this.plot = new uPlot(
      {
        ...this.#size(),
        padding: [0, AXIS_PADDING, 0, AXIS_PADDING],
        legend: { show: false },
        axes: [axis, { show: false }],
        scales: { x: { time: false, auto: false }, y: { auto: false, range: [0, 1] } },
        cursor: { y: false, drag: { x: true, y: false, setScale: false, dist: SMALLEST_DRAG }, points: { show: false } },
        series: [{}, ...EXPRESSIONS.map(layer)],
        hooks: {
          setCursor: [(plot) => this.options.onCursor?.(plot.cursor.left >= 0 ? plot.cursor.idx : null)],
          setSelect: [(plot) => this.#selected(plot)],
          draw: [(plot) => this.#nameLayers(plot)],
        },
      },
      this.data,
      this.element,
    );
    this.#listen(this.plot.over);
  }

  #listen(over) {
    let pressedAt = null;
    over.addEventListener("mousedown", ({ clientX }) => (pressedAt = clientX));
    over.addEventListener("click", ({ clientX }) => {
      const moved = pressedAt === null ? 0 : Math.abs(clientX - pressedAt);
      if (moved < SMALLEST_DRAG) this.options.onPick?.(this.plot.posToVal(clientX - over.getBoundingClientRect().left, "x"));
    });
    over.addEventListener("dblclick", () => this.#chooseZoom(this.range.min, this.range.max));
  }

  #selected(plot) {
    const { left, width } = plot.select;
    if (width < SMALLEST_DRAG) return;
    const [min, max] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    const middle = (min + max) / 2;
    const half = Math.max(max - min, NARROWEST_ZOOM) / 2;
    this.#chooseZoom(Math.max(this.range.min, middle - half), Math.min(this.range.max, middle + half));
  }

  /** Write each expression's name where its layer is highest, so that colour is not all that tells layers apart. */
  #nameLayers({ ctx, bbox, data, valToPos }) {
    const ratio = devicePixelRatio;
    ctx.save();
    const font = `600 ${11 * ratio}px ${getComputedStyle(this.element).fontFamily}`;
    Object.assign(ctx, { font, textAlign: "left", textBaseline: "middle" }); // axes leave it centred
    const { min, max } = this.#shown();
    EXPRESSIONS.forEach((name, layer) => {
      const at = this.#highest(layer, min, max);
      if (at === null) return;
      const top = valToPos(data[layer + 1][at], "y", true);
      const bottom = layer + 2 < data.length ? valToPos(data[layer + 2][at], "y", true) : bbox.top + bbox.height;
      const width = ctx.measureText(name).width;
      if (bottom - top < LABEL_ROOM.height * ratio || !this.#roomFor(layer, at, width, valToPos)) return;
      const x = Math.max(bbox.left + LABEL_ROOM.padding, valToPos(data[0][at], "x", true) - width / 2);
      ctx.fillStyle = DARK_LAYERS.has(name) ? "#f5f7fa" : "#101218";
      ctx.fillText(name, Math.min(x, bbox.left + bbox.width - width - LABEL_ROOM.padding), (top + bottom) / 2);
    });
    ctx.restore();
  }

  /** The middle of the longest time for which a layer is about as high as it gets in what is shown; null: nowhere. */
  #highest(layer, min, max) {
    const share = (i) => (this.shares[i] && this.data[0][i] >= min && this.data[0][i] <= max ? this.shares[i][layer] : 0);
    const indices = [...this.data[0].keys()];
    const most = Math.max(0, ...indices.map(share));
    let [best, from] = [[0, -1], null];
    for (const i of [...indices, indices.length]) {
      const high = i < indices.length && most > 0 && share(i) >= ABOUT * most;
      if (high) from ??= i;
      else if (from !== null) {
        if (i - from > best[1] - best[0]) best = [from, i];
        from = null;
      }
    }
    return best[1] < 0 ? null : Math.floor((best[0] + best[1] - 1) / 2);
  }

  /** Whether the layer stays high for as long as its name is wide. */
  #roomFor(layer, at, width, valToPos) {
    const times = this.data[0];
    const middle = valToPos(times[at], "x", true);
    const least = this.shares[at][layer] / 2;
    const [first, last] = [times[0], times.at(-1)].map((time) => valToPos(time, "x", true));
    if (middle - width / 2 < first || middle + width / 2 > last) return false;
    return times.every((time, i) => {
      const near = Math.abs(valToPos(time, "x", true) - middle) < width / 2;
      return !near || (this.shares[i] && this.shares[i][layer] > least);
    });
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
