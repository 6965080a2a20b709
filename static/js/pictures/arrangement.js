/* Many pictures at once: a grid with what all of them show, sorted and filtered. */

import { EXPRESSIONS, summaryOf } from "../faces/expressions.js";

const MANY = 4; // pictures from which on they stand in a grid
const NO_FACE = "No face";

const byId = (id) => document.getElementById(id);

export class Arrangement {
  /** `list`: where the cards stand; `cards()`: those of pictures, in the order in which they were added. */
  constructor(list, cards) {
    Object.assign(this, { list, cards });
    for (const id of ["sort", "filter"]) byId(id).addEventListener("change", () => this.update());
  }

  /** Cards have come, gone or been answered. */
  update() {
    const cards = this.cards();
    const many = cards.length >= MANY;
    this.list.toggleAttribute("data-many", many);
    byId("arrangement").hidden = !many;
    const faces = cards.flatMap(({ answer }) => answer?.faces ?? []);
    byId("picture-summary").textContent = many && faces.length ? summaryOf(faces) : "";
    this.#sort(cards, many ? byId("sort").value : "added");
    const wanted = many ? byId("filter").value : "";
    for (const card of cards) card.element.hidden = Boolean(wanted) && card.done && !fits(card, wanted);
  }

  #sort(cards, by) {
    if (by === "added" && !this.sorted) return; // they stand that way
    this.sorted = by !== "added";
    const focused = document.activeElement;
    this.list.append(...(this.sorted ? cards.toSorted(orders[by]) : cards).map(({ element }) => element));
    if (focused !== document.activeElement) focused.focus({ preventScroll: true });
  }
}

const fits = (card, wanted) => (wanted === NO_FACE ? !card.shown.length : card.shown.includes(wanted));

/** Of several faces, that counts which comes first in the order of expressions; pictures without faces come last. */
const rank = ({ shown }) => Math.min(...shown.map((name) => EXPRESSIONS.indexOf(name)).map((k) => (k < 0 ? EXPRESSIONS.length : k)));

const orders = {
  expression: (a, b) => rank(a) - rank(b) || 0,
  certainty: (a, b) => a.certainty - b.certainty,
};
