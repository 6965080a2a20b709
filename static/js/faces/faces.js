/* One card for each face: what it shows, the seven probabilities as bars, and its last minute; from four faces on as
   rows that open. */

import { confidenceOf, nameOf, percent } from "./expressions.js";
import { FaceRest } from "./face-rest.js";
import { History } from "./history.js";

const STAYS_MS = 3000;
const CHART_EVERY_MS = 100;
const PICTURE_EVERY_MS = 1000;
const MANY = 4; // from so many faces on, cards are rows
const PICTURE_MARGIN = 0.15; // around the face, as a share of its box

class FaceCard {
  /** `history`: what is known of its last minute. */
  constructor(template, number, history, rests, onToggle) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`.${name}`);
    this.bars = [...this.element.querySelectorAll(".bar")].map((bar) => ({
      name: bar.dataset.expression,
      bar,
      fill: bar.querySelector(".bar-fill"),
      value: bar.querySelector(".bar-value"),
      share: this.element.querySelector(`.mini-bar [data-expression=${bar.dataset.expression}]`),
    }));
    this.rest = new FaceRest(this.element, number, rests);
    this.number = number;
    this.name = `Face ${number}`;
    this.part("face-name").textContent = this.name;
    this.toggle = this.part("face-toggle");
    this.toggle.setAttribute("aria-label", `Details of face ${number}`);
    this.toggle.addEventListener("click", onToggle);
    this.history = history;
    this.chartAt = this.pictureAt = -Infinity;
  }

  get gone() {
    return "gone" in this.element.dataset;
  }

  /** Take in a face at `time`, in seconds, with what is said of it. */
  show(face, said, time, now) {
    this.face = face;
    this.seenAt = now;
    if (this.gone) this.part("face-name").textContent = this.name;
    delete this.element.dataset.gone;
    this.#say(said);
    this.history.add(time, face.probabilities);
    this.rest.show(face, now);
  }

  /** Stay for a moment with what was said last. */
  leave() {
    if (this.gone) return;
    this.element.dataset.gone = "";
    this.part("face-name").textContent = `${this.name}, gone`;
  }

  #say(face) {
    if (this.said === face.probabilities) return;
    this.said = face.probabilities;
    this.part("expression").textContent = nameOf(face);
    this.part("confidence").textContent = confidenceOf(face);
    this.element.dataset.expression = nameOf(face);
    for (const { name, bar, fill, value, share } of this.bars) {
      const probability = face.probabilities[name];
      fill.style.transform = `scaleX(${probability})`;
      value.textContent = percent(probability);
      share.style.flexGrow = probability;
      bar.toggleAttribute("data-top", name === face.expression && !face.uncertain);
    }
  }

  /** Cut the face out of the picture that it is in, now and then; `scale`: the picture's pixels to the box's. */
  cut(picture, scale, mirrored, now) {
    if (now - this.pictureAt < PICTURE_EVERY_MS || this.gone) return;
    this.pictureAt = now;
    const [x, y, width, height] = this.face.box.map((value) => value * scale);
    const side = Math.max(width, height) * (1 + 2 * PICTURE_MARGIN);
    const canvas = this.part("face-picture");
    const context = canvas.getContext("2d");
    context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? canvas.width : 0, 0);
    context.drawImage(picture, x + width / 2 - side / 2, y + height / 2 - side / 2, side, side, 0, 0, canvas.width, canvas.height);
  }

  /** Open the details or close them; the chart is there only while it can be seen. */
  set open(open) {
    this.element.toggleAttribute("data-open", open);
    this.toggle.setAttribute("aria-expanded", String(open));
    if (!open) return this.history.close();
    const chart = this.part("history-chart");
    this.history.open(chart, (words) => {
      this.part("history-reading").textContent = words;
      chart.setAttribute("aria-valuetext", words || "now");
    });
  }

  drawHistory(time, now) {
    if (now - this.chartAt < CHART_EVERY_MS) return;
    this.chartAt = now;
    this.history.draw(time);
  }
}

export class FaceList {
  constructor(list, template, empty, rests) {
    Object.assign(this, { list, template, empty, rests, opened: new Set() });
    this.cards = new Map();
    this.histories = new Map(); // by number, also of faces that may come back
    document.addEventListener("themechange", () => this.cards.forEach(({ history }) => history.chart?.recolour()));
  }

  /** Whether faces have to be told apart, by numbers. */
  get several() {
    return this.cards.size > 1;
  }

  /**
   * Show the faces of one frame, and what is `said` of each, at `time` in seconds. `cut`: { picture, scale, mirrored },
   * from which their pictures are cut.
   */
  update(faces, said, time, cut) {
    const now = performance.now();
    faces.forEach((face, i) => {
      const card = this.cards.get(face.id) ?? this.#add(face.id);
      card.show(face, said[i], time, now);
      card.cut(cut.picture, cut.scale, cut.mirrored, now);
    });
    for (const [id, card] of this.cards) {
      if (card.seenAt < now) card.leave();
      if (now - card.seenAt > STAYS_MS) this.#remove(id);
    }
    this.#arrange();
    this.cards.forEach((card) => card.drawHistory(time, now));
    this.histories.forEach((history, id) => !this.cards.has(id) && history.isOver(time) && this.histories.delete(id));
    this.empty.hidden = this.cards.size > 0;
  }

  clear() {
    for (const id of [...this.cards.keys()]) this.#remove(id);
    this.histories.clear();
    this.empty.hidden = false;
  }

  /** Cards while there are few faces; rows, of which those stay open that the visitor opened, when there are many. */
  #arrange() {
    const many = this.cards.size >= MANY;
    this.list.toggleAttribute("data-many", many);
    for (const [id, card] of this.cards) {
      const open = !many || this.opened.has(id);
      if (open !== card.element.hasAttribute("data-open")) card.open = open;
    }
  }

  #add(id) {
    if (!this.histories.has(id)) this.histories.set(id, new History());
    const card = new FaceCard(this.template, id, this.histories.get(id), this.rests, () => {
      if (!this.opened.delete(id)) this.opened.add(id);
      this.#arrange();
    });
    this.#place(card);
    this.cards.set(id, card);
    this.cards = new Map([...this.cards].sort(([a], [b]) => a - b));
    return card;
  }

  /** Cards stand in the order of their numbers, but one takes the place of a face that has left: others stay put. */
  #place(card) {
    const gone = [...this.cards].find(([, other]) => other.gone);
    if (gone) {
      gone[1].element.before(card.element);
      return this.#remove(gone[0]);
    }
    const next = [...this.cards.values()].find(({ number }) => number > card.number);
    this.list.insertBefore(card.element, next?.element ?? null);
  }

  #remove(id) {
    const card = this.cards.get(id);
    card.history.close();
    card.element.remove();
    this.cards.delete(id);
    this.opened.delete(id);
  }
}
