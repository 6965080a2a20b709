/* What was seen, frame by frame, while the visitor records; kept in the page to be saved as a table and as a report. */

import { AS_SEEN_COLUMNS, FACE_COLUMNS, asSeenRow, csv, faceRow } from "../page/files.js";

const COLUMNS = ["frame", "time", "clock", ...FACE_COLUMNS, ...AS_SEEN_COLUMNS, "marker"];

export class Recorder {
  recording = false;

  start() {
    this.recording = true;
    this.frames = [];
  }

  /** Note one frame with the marker in force. */
  add({ index, time, faces }, marker) {
    this.frames.push({ index, time, faces, marker });
  }

  /** End; return the CSV file: of each frame a row a face, or one without a face. */
  stop() {
    this.recording = false;
    return csv([COLUMNS, ...this.frames.flatMap((frame) => this.#rows(frame))]);
  }

  #rows({ index, time, faces, marker }) {
    const start = [index, (time - this.frames[0].time).toFixed(3), new Date(1000 * time).toISOString()];
    if (!faces.length) return [[...start, ...[...FACE_COLUMNS, ...AS_SEEN_COLUMNS].map(() => ""), marker]];
    return faces.map((face) => [...start, ...faceRow(face), ...asSeenRow(face), marker]);
  }
}
