/* The visitor's videos on the server: sent one after the other, watched until they are done. */

import { undoable } from "../page/toasts.js";

const LOOK_EVERY_MS = 1000;
const PATIENCE_MS = 10_000;

export class VideoQueue {
  /**
   * `wanted()` returns how a video is to be analysed that is added now, `place(card)` puts a new card into the page, `leaving(card)` is told before one goes at the visitor's wish,
   * `changed()` when there are more or fewer, or one is done. `connection` tells whether the app can be reached.
   */
  constructor(address, connection, makeCard, { wanted, place, leaving, changed }) {
    Object.assign(this, { address, connection, makeCard, wanted, place, leaving, changed });
    this.cards = new Set();
    this.sending = Promise.resolve();
    connection.addEventListener("change", () => {
      this.cards.forEach((card) => (card.reachable = connection.reachable));
      if (connection.reachable) this.#watch();
    });
  }

  /** How many are in the page. */
  get count() {
    return [...this.cards].filter(({ leaving }) => !leaving).length;
  }

  /** How many of these are analysed. */
  get done() {
    return [...this.cards].filter((card) => !card.leaving && card.done).length;
  }

  /** Whether files wait that the server does not have. */
  get sends() {
    return [...this.cards].some((card) => !card.leaving && !card.id && card.busy);
  }

  add(file) {
    const card = this.#addCard(file.name);
    card.onRetry = () => this.#send(card, file);
    this.#send(card, file);
    return card;
  }

  /** Show the videos that the server has from before; others are sent once it has told of these. */
  resume() {
    this.sending = this.#earlier().then((jobs) => {
      for (const job of jobs) this.#addCard(job.name, job.id).update(job);
      this.#watch();
    });
  }

  recolour() {
    this.cards.forEach((card) => card.recolour());
  }

  /** Send it when its turn has come. */
  #send(card, file) {
    const wanted = this.wanted();
    if (wanted.problem) return card.refuse(wanted.problem);
    card.wait();
    this.sending = this.sending.then(async () => {
      if (!this.cards.has(card)) return;
      const job = await card.send(file, wanted, this.address, this.connection);
      if (job) card.id = job.id;
      if (job && !this.cards.has(card)) await this.#delete(card);
      this.#watch();
    });
  }

  async #earlier() {
    for (;;) {
      const jobs = await this.#ask();
      if (jobs) return jobs;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Take a card out of the page, and delete its video once the visitor has had time to undo it. */
  #remove(card) {
    const words = card.busy ? `Cancelled ${card.name}` : `Deleted ${card.name}`;
    const next = card.element.nextElementSibling;
    const list = card.element.parentElement;
    this.leaving(card);
    card.leaving = true;
    card.element.remove();
    this.changed();
    undoable(words, {
      done: () => {
        this.#forget(card);
        if (card.id) this.#delete(card);
      },
      undone: () => {
        card.leaving = false;
        list.insertBefore(card.element, next?.parentElement === list ? next : null);
        this.changed();
      },
    });
  }

  /** Look how far the videos are, again and again for as long as one is on its way. */
  async #watch() {
    clearTimeout(this.timer);
    const look = (this.look = {});
    const sent = [...this.cards].filter((card) => card.id); // before the answer, which knows nothing of later ones
    const jobs = await this.#ask();
    if (this.look !== look) return; // another look has begun, and hears what is newer
    if (jobs) this.#show(sent, new Map(jobs.map((job) => [job.id, job])));
    const busy = [...this.cards].some((card) => card.id && card.busy);
    if (busy) this.timer = setTimeout(() => this.#watch(), LOOK_EVERY_MS);
  }

  #show(sent, jobs) {
    for (const card of sent) {
      if (!this.cards.has(card)) continue;
      if (jobs.has(card.id)) card.update(jobs.get(card.id));
      else this.#forget(card); // its time was over, or it was deleted in another window
    }
  }

  /** The visitor's videos, or null where they cannot be had now. */
  async #ask() {
    try {
      const answer = await this.connection.fetch(this.address, { signal: AbortSignal.timeout(PATIENCE_MS) });
      return answer.ok ? (await answer.json()).jobs : null;
    } catch {
      return null;
    }
  }

  #addCard(name, id) {
    const card = this.makeCard(name);
    card.id = id;
    card.onRemove = () => this.#remove(card);
    card.onDone = () => this.changed();
    card.reachable = this.connection.reachable;
    this.cards.add(card);
    this.place(card);
    this.changed();
    return card;
  }

  #forget(card) {
    this.cards.delete(card);
    card.destroy();
    this.changed();
  }

  #delete(card) {
    const request = { method: "DELETE", keepalive: true, signal: AbortSignal.timeout(PATIENCE_MS) };
    return fetch(`${this.address}/${card.id}`, request).catch(() => {});
  }
}
