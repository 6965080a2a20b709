/* All faces in one line, and what they showed over the last minute in one bar. */

import { EXPRESSIONS, nameOf, percent, summaryOf } from "./expressions.js";

const MINUTE_MS = 60_000;
const EVERY_MS = 500;

export class FaceSummary {
  constructor(words, bar) {
    Object.assign(this, { words, bar, moments: [], at: -Infinity });
    this.shares = new Map([...bar.children].map((share) => [share.dataset.expression, share]));
  }

  /** Take the faces of one frame, with what is said of them. */
  update(faces, now = performance.now()) {
    const words = faces.length ? summaryOf(faces) : "";
    if (this.words.textContent !== words) this.words.textContent = words;
    this.bar.hidden = faces.length < 2;
    if (now - this.at < EVERY_MS) return;
    this.at = now;
    this.moments = this.moments.filter(({ at }) => now - at < MINUTE_MS);
    this.moments.push({ at: now, names: faces.map(nameOf) });
    if (!this.bar.hidden) this.#draw();
  }

  clear() {
    this.moments = [];
    this.words.textContent = "";
    this.bar.hidden = true;
  }

  #draw() {
    const names = this.moments.flatMap((moment) => moment.names);
    const part = (name) => names.filter((other) => other === name).length / (names.length || 1);
    for (const [name, share] of this.shares) share.style.flexGrow = part(name);
    const told = [...EXPRESSIONS, "Uncertain"].filter((name) => part(name) >= 0.005);
    this.bar.setAttribute("aria-label", `Last minute: ${told.map((name) => `${name} ${percent(part(name))}`).join(", ")}`);
  }
}
