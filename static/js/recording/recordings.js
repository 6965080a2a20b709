/* Recording what is seen: the buttons, what is saved of it, and what an earlier visit left. */

import { clock, dateAndTime, lengthOf } from "../page/clock.js";
import { download, timestamp } from "../page/files.js";
import { KeptRecordings } from "./kept-recordings.js";
import { recorded, recordingTable } from "./recorder.js";
import { recordingReport } from "./recording-report.js";
import { say, undoable } from "../page/toasts.js";
import { WakeLock } from "../page/wake-lock.js";

const byId = (id) => document.getElementById(id);

export class Recordings {
  running = false;
  #frames = [];
  #reportWaits = false;
  #kept = new KeptRecordings();
  #screen = new WakeLock();

  /** `markers`: the page's; `live()`: whether there is something to record. */
  constructor(markers, live) {
    Object.assign(this, { markers, live });
    byId("record").addEventListener("click", () => (this.running ? this.save() : this.#start()));
    byId("report").addEventListener("click", () => this.#saveReport());
    addEventListener("beforeunload", (event) => {
      this.#kept.end();
      if (this.running || this.#reportWaits) event.preventDefault();
    });
    this.#kept.earlier().then((recordings) => this.#offer(recordings));
  }

  /** Take in a frame. */
  add(result) {
    if (!this.running) return;
    const frame = recorded(result, this.markers.at(result));
    this.#frames.push(frame);
    this.#kept.add(frame);
    const count = this.#frames.length;
    byId("record-count").textContent = `${count} frame${count === 1 ? "" : "s"}`;
    byId("record-time").textContent = clock(frame.time - this.#frames[0].time);
  }

  /** End, and save the table. */
  save() {
    if (!this.running) return;
    this.running = false;
    this.#screen.release();
    this.#kept.end();
    this.markers.end();
    delete byId("record").dataset.recording;
    for (const id of ["record-count", "record-time"]) byId(id).textContent = "";
    byId("record").disabled = !this.live();
    this.#reportWaits = this.#frames.length > 0;
    byId("report").hidden = !this.#reportWaits;
    if (this.#reportWaits) saveTable(this.#frames);
    else say("Nothing was recorded: no picture came");
  }

  #start() {
    this.running = true;
    this.#frames = [];
    this.#reportWaits = false;
    this.#kept.begin();
    this.#screen.hold();
    this.markers.begin();
    byId("report").hidden = true;
    byId("record").dataset.recording = "";
  }

  #saveReport() {
    saveReport(this.#frames);
    this.#reportWaits = false;
    this.#kept.forget(this.#kept.name);
  }

  /** Offer what earlier visits left, one recording after the other. */
  #offer([recording, ...others]) {
    const place = byId("kept-recording");
    place.hidden = !recording;
    if (!recording) return;
    const { name, frames } = recording;
    byId("kept-words").textContent = `${dateAndTime(frames[0].clock)}, ${lengthOf(frames.at(-1).time - frames[0].time)}, ${frames.length} frames`;
    byId("kept-table").onclick = () => saveTable(frames);
    byId("kept-report").onclick = () => saveReport(frames);
    byId("kept-discard").onclick = () => {
      this.#offer(others);
      undoable("Discarded the recording", { done: () => this.#kept.forget(name), undone: () => this.#offer([recording, ...others]) });
    };
  }
}

const saveTable = (frames) => save(recordingTable(frames), `expressions ${timestamp()}.csv`);
const saveReport = (frames) => save(recordingReport(frames), `expressions ${timestamp()}.html`);

function save(blob, name) {
  download(blob, name);
  say(`Saved ${name}`);
}
