/* What was seen, frame by frame, while the visitor records; kept in the page until it is saved as CSV. */

import { AS_SEEN_COLUMNS, FACE_COLUMNS, asSeenRow, csv, faceRow } from "./files.js";

const COLUMNS = ["frame", "time", "clock", ...FACE_COLUMNS, ...AS_SEEN_COLUMNS];

export class Recorder {
  recording = false;

  start() {
    this.recording = true;
    this.rows = [];
    this.frames = 0;
    this.first = null;
  }

  /** Note one frame: a row a face, or one without a face. */
  add({ index, time, faces }) {
    if (!this.recording) return;
    this.first ??= time;
    this.frames += 1;
    const start = [index, (time - this.first).toFixed(3), new Date(1000 * time).toISOString()];
    const rows = faces.length ? faces.map((face) => [...faceRow(face), ...asSeenRow(face)]) : [[...FACE_COLUMNS, ...AS_SEEN_COLUMNS].map(() => "")];
    for (const row of rows) this.rows.push([...start, ...row]);
  }

  /** End; return the CSV file. */
  stop() {
    this.recording = false;
    return csv([COLUMNS, ...this.rows]);
  }
}
