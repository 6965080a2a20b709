/* One picture as large as the window or the screen: with arrows to the others, and with zoom. */

const byId = (id) => document.getElementById(id);

const ZOOM_STEP = 1.5;
const LARGEST_ZOOM = 12;

export class Lightbox {
  constructor() {
    this.dialog = byId("lightbox");
    this.canvas = byId("lightbox-canvas");
    byId("lightbox-close").addEventListener("click", () => this.dialog.close());
    byId("lightbox-previous").addEventListener("click", () => this.#turn(-1));
    byId("lightbox-next").addEventListener("click", () => this.#turn(1));
    byId("lightbox-in").addEventListener("click", () => this.#zoom(ZOOM_STEP));
    byId("lightbox-out").addEventListener("click", () => this.#zoom(1 / ZOOM_STEP));
    byId("lightbox-full").addEventListener("click", () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else this.dialog.requestFullscreen();
    });
    byId("lightbox-full").hidden = !document.fullscreenEnabled;
    this.dialog.addEventListener("close", () => document.fullscreenElement && document.exitFullscreen());
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, event);
    });
    this.canvas.addEventListener("dblclick", (event) => this.#zoom(this.scale > 1 ? 0 : 2 * ZOOM_STEP, event));
    this.canvas.addEventListener("pointerdown", (event) => this.canvas.setPointerCapture(event.pointerId));
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.#move(event.movementX, event.movementY);
    });
  }

  /** Show a card of `cards`, each with a `name` and a `paint(canvas)`. */
  open(cards, card) {
    this.cards = cards;
    this.at = cards.indexOf(card);
    for (const id of ["lightbox-previous", "lightbox-next"]) byId(id).hidden = cards.length < 2;
    this.dialog.showModal();
    this.#show();
  }

  #turn(by) {
    this.at = (this.at + by + this.cards.length) % this.cards.length;
    this.#show();
  }

  async #show() {
    const card = this.cards[this.at];
    byId("lightbox-name").textContent = card.name;
    byId("lightbox-count").textContent = this.cards.length > 1 ? `${this.at + 1} of ${this.cards.length}` : "";
    this.canvas.setAttribute("aria-label", card.name);
    this.#zoom(0);
    await card.paint(this.canvas);
  }

  #key(event) {
    const act = {
      ArrowLeft: () => this.#turn(-1),
      ArrowRight: () => this.#turn(1),
      "+": () => this.#zoom(ZOOM_STEP),
      "=": () => this.#zoom(ZOOM_STEP),
      "-": () => this.#zoom(1 / ZOOM_STEP),
      0: () => this.#zoom(0),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** Make the picture larger by a factor, around a place; 0 shows all of it. */
  #zoom(factor, { clientX, clientY } = {}) {
    const before = this.scale ?? 1;
    this.scale = Math.max(1, Math.min(before * factor, LARGEST_ZOOM));
    if (this.scale === 1) this.place = [0, 0];
    else if (clientX !== undefined) {
      const { left, top, width, height } = this.dialog.getBoundingClientRect();
      const grown = this.scale / before;
      const [x, y] = [clientX - left - width / 2, clientY - top - height / 2];
      this.place = [x - (x - this.place[0]) * grown, y - (y - this.place[1]) * grown];
    }
    this.#move(0, 0);
  }

  #move(byX, byY) {
    if (this.scale > 1) this.place = [this.place[0] + byX, this.place[1] + byY];
    this.canvas.style.transform = `translate(${this.place[0]}px, ${this.place[1]}px) scale(${this.scale})`;
  }
}
