/* The dialog in which a face of a video gets its name, is said to be the same person as another one, or is split. */

import { clock } from "../page/clock.js";
import { undoable } from "../page/toasts.js";

const ANSWER_MS = 60_000; // tables, chart and ZIP are written anew

const byId = (id) => document.getElementById(id);
const nameOf = (face) => face.name || `Face ${face.id}`;

export class FaceDialog {
  /** `jobs`: the address of the visitor's videos. */
  constructor(jobs, connection) {
    Object.assign(this, { jobs, connection, dialog: byId("face-dialog") });
    byId("face-close").addEventListener("click", () => this.dialog.close());
    byId("face-name-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = byId("face-name").value.trim();
      const words = name ? `${nameOf(this.face)} is now ${name}` : `Face ${this.face.id} has no name now`;
      this.#change({ action: "rename", face: this.face.id, name }, words);
    });
    byId("face-merge").addEventListener("click", () => {
      const into = this.summary.faces.find(({ id }) => id === Number(byId("face-other").value));
      this.#change({ action: "merge", face: this.face.id, into: into.id }, `${nameOf(this.face)} is now ${nameOf(into)}`);
    });
    byId("face-split").addEventListener("click", () => {
      this.#change({ action: "split", face: this.face.id, at: this.time }, `Split ${nameOf(this.face)} at ${clock(this.time, 1)}`);
    });
    byId("face-undo").addEventListener("click", () => this.#undo());
  }

  /** Edit a face of the video `id`; `time` is where the video is, `onChange` is called when the results have changed. */
  open(id, summary, face, time, onChange) {
    Object.assign(this, { address: `${this.jobs}/${id}/faces`, summary, face, time, onChange });
    byId("face-title").textContent = nameOf(face);
    byId("face-name").value = face.name;
    byId("face-error").textContent = "";
    const others = summary.faces.filter((other) => other.id !== face.id);
    byId("face-other").replaceChildren(...others.map((other) => new Option(nameOf(other), other.id)));
    byId("face-undo").hidden = !summary.changes;
    byId("face-merging").hidden = !others.length;
    const splits = time > face.first_seen && time < face.last_seen;
    byId("face-split").disabled = !splits;
    byId("face-split-words").textContent = splits
      ? `From ${clock(time, 1)} on, where the video is now, it becomes another face.`
      : "Move the video to the moment at which the face becomes someone else.";
    this.dialog.showModal();
  }

  async #change(change, words) {
    if (!(await this.#send(change))) return;
    this.dialog.close();
    const { onChange } = this;
    const address = this.address;
    onChange();
    this.endLast?.(); // only the last change can be undone
    this.endLast = undoable(words, {
      done: () => {},
      undone: () => {
        Object.assign(this, { address, onChange });
        this.#undo();
      },
    });
  }

  async #undo() {
    if (!(await this.#send({ action: "undo" }))) return;
    this.dialog.close();
    this.onChange();
  }

  /** Whether the app made the change; where not, the dialog says why. */
  async #send(change) {
    byId("face-error").textContent = "";
    byId("face-forms").disabled = true;
    const request = { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify(change) };
    const answer = await this.connection
      .fetch(this.address, { ...request, signal: AbortSignal.timeout(ANSWER_MS) })
      .catch(() => null);
    byId("face-forms").disabled = false;
    if (answer?.ok) return true;
    const content = await answer?.json().catch(() => null);
    byId("face-error").textContent = content?.error?.message ?? "Can’t reach the app. Try again in a moment.";
    return false;
  }
}
