/* Markers while a recording runs: what is going on from a moment on, until the next one. Those of the server's video are
   the server's, and come back in its frames, for everybody who records; those of the own camera stay in this page. */

import { say } from "../page/toasts.js";

const KEY = "m";
const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog";

export class Markers {
  #own = "";
  #shown = null; // what the page says is in force; null before the first frame of a recording
  #newest = -Infinity; // time of the latest frame: other cameras' may come after it

  /** `form`: the page's; `address`: of the API; `shared()`: whether markers are for everybody's recordings now. */
  constructor(form, address, shared) {
    Object.assign(this, { form, address, shared });
    this.part = (name) => form.querySelector(`#marker-${name}`);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#setNext();
    });
    this.part("end").addEventListener("click", () => this.#set(""));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** A recording begins. */
  begin() {
    this.#own = "";
    this.#shown = null;
    this.#newest = -Infinity;
    this.#number(1);
    this.form.hidden = false;
  }

  /** The recording has ended. */
  end() {
    this.form.hidden = true;
    this.part("label").value = "";
  }

  /** The marker in force in a frame, for its rows in the recording; the page says it when it changes. */
  at({ marker, time }) {
    const label = marker || this.#own;
    if (label !== this.#shown && time >= this.#newest) this.#show(label);
    this.#newest = Math.max(this.#newest, time);
    return label;
  }

  #key(event) {
    const { key, target, repeat, ctrlKey, altKey, metaKey } = event;
    if (this.form.hidden || repeat || ctrlKey || altKey || metaKey || key.toLowerCase() !== KEY) return;
    if (target.closest(FIELDS) || document.querySelector("dialog[open]")) return; // it is a letter there
    event.preventDefault();
    this.#setNext();
  }

  /** Set the marker that was typed, else the next number. */
  #setNext() {
    const typed = this.part("label").value.trim();
    this.part("label").value = "";
    this.#set(typed || String(this.next));
    if (!typed) this.#number(this.next + 1);
  }

  async #set(label) {
    if (this.shared()) await this.#tell(label);
    else this.#own = label;
  }

  async #tell(label) {
    const headers = { "Content-Type": "application/json" };
    try {
      const answer = await fetch(this.address, { method: "POST", headers, body: JSON.stringify({ label }) });
      if (!answer.ok) say((await answer.json()).error.message);
    } catch {
      say("The app does not answer, and the marker was not set. Try again.");
    }
  }

  #number(next) {
    this.next = next;
    this.part("label").placeholder = `Marker ${next}`;
  }

  #show(label) {
    if (label) say(`Marker: ${label}`);
    else if (this.#shown) say(`End of marker: ${this.#shown}`);
    this.#shown = label;
    this.part("now").textContent = label;
    this.part("end").hidden = !label;
    this.part("end").setAttribute("aria-label", `End marker ${label}`);
  }
}
