/* One card for each face: what it shows, the seven probabilities as bars, and its last minute. */

import { nameOf, percent } from "./expressions.js";
import { FaceRest } from "./face-rest.js";
import { History } from "./history.js";

const STAYS_MS = 3000;
const WORDS_EVERY_MS = 200;
const CHART_EVERY_MS = 100;

class FaceCard {
  constructor(template, number, rests) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`.${name}`);
    this.bars = new Map(
      [...this.element.querySelectorAll(".bar")].map((bar) => [
        bar.dataset.expression,
        { bar, fill: bar.querySelector(".bar-fill"), value: bar.querySelector(".bar-value") },
      ]),
    );
    this.rest = new FaceRest(this.element, number, rests);
    this.name = `Face ${number}`;
    this.part("face-name").textContent = this.name;
    this.wordsAt = -Infinity;
    this.chartAt = -Infinity;
  }

  /** The chart measures its place, so it is made when the card stands in the page. */
  mounted() {
    this.history = new History(this.part("history-chart"), (words) => {
      this.part("history-reading").textContent = words;
    });
  }

  show(face, now) {
    this.face = face;
    this.seenAt = now;
    if ("gone" in this.element.dataset) this.part("face-name").textContent = this.name;
    delete this.element.dataset.gone;
    for (const [name, { fill }] of this.bars) fill.style.transform = `scaleX(${face.probabilities[name]})`;
    this.rest.show(face, now);
    if (now - this.wordsAt >= WORDS_EVERY_MS) this.#showWords(face, now);
  }

  /** Stay for a moment, with the words of the face's last frame, as the bars have it. */
  leave(now) {
    if ("gone" in this.element.dataset) return;
    this.element.dataset.gone = "";
    this.part("face-name").textContent = `${this.name}, gone`;
    this.#showWords(this.face, now);
  }

  /** Figures that change thirty times a second cannot be read, so words change less often than bars. */
  #showWords(face, now) {
    this.wordsAt = now;
    this.part("expression").textContent = nameOf(face);
    this.part("confidence").textContent = percent(face.confidence);
    this.element.style.setProperty("--face-colour", `var(--${nameOf(face).toLowerCase()})`);
    for (const [name, { bar, value }] of this.bars) {
      value.textContent = percent(face.probabilities[name]);
      bar.toggleAttribute("data-top", name === face.expression && !face.uncertain);
    }
  }

  drawHistory(time, now) {
    if (now - this.chartAt < CHART_EVERY_MS) return;
    this.chartAt = now;
    this.history.draw(time);
  }
}

export class FaceList {
  constructor(list, template, empty, count, rests) {
    Object.assign(this, { list, template, empty, count, rests });
    this.cards = new Map();
    document.addEventListener("themechange", () => this.cards.forEach((card) => card.history.chart.recolour()));
  }

  /** Show the faces of one frame: `faces` as the event stream has them, `time` in seconds. */
  update(faces, time) {
    const now = performance.now();
    for (const face of faces) {
      const card = this.cards.get(face.id) ?? this.#add(face.id);
      card.history.add(time, face.probabilities);
      card.show(face, now);
    }
    for (const [id, card] of this.cards) {
      if (card.seenAt < now) card.leave(now);
      if (now - card.seenAt > STAYS_MS) this.#remove(id);
      else card.drawHistory(time, now);
    }
    this.empty.hidden = this.cards.size > 0;
    const words = faces.length ? `${faces.length} in view` : "";
    if (this.count.textContent !== words) this.count.textContent = words;
  }

  clear() {
    for (const id of [...this.cards.keys()]) this.#remove(id);
    this.empty.hidden = false;
    this.count.textContent = "";
  }

  #add(id) {
    const card = new FaceCard(this.template, id, this.rests);
    this.#place(card);
    this.cards.set(id, card);
    card.mounted();
    return card;
  }

  /** A new face takes the place of one that has left, so that the others stay where they are. */
  #place(card) {
    const gone = [...this.cards].find(([, other]) => "gone" in other.element.dataset);
    if (!gone) return this.list.append(card.element);
    gone[1].element.before(card.element);
    this.#remove(gone[0]);
  }

  #remove(id) {
    const card = this.cards.get(id);
    card.history.chart.destroy();
    card.element.remove();
    this.cards.delete(id);
  }
}
