/* What was seen, frame by frame, while the visitor records; kept in the page to be saved as a table and as a report. */

import { AS_SEEN_COLUMNS, FACE_COLUMNS, asSeenRow, csv, faceRow } from "../page/files.js";

const COLUMNS = [...FACE_COLUMNS, ...AS_SEEN_COLUMNS, "marker"];

export class Recorder {
  recording = false;

  start() {
    this.recording = true;
    this.frames = [];
    this.marks = new Map(); // the server's markers, by the time from which they count
  }

  /** Note one frame with the marker in force; `marked_at`: since when, where that is the server's. */
  add({ index, time, faces, camera, marker: told = "", marked_at: since }, marker) {
    const shared = marker === told;
    if (shared && since !== undefined) this.marks.set(since, told);
    this.frames.push({ index, time, faces, camera, marker, shared });
  }

  /** End; return the CSV file: of each frame a row a face, or one without a face; with the camera, where there are several. */
  stop() {
    this.recording = false;
    this.#settleMarkers();
    const cameras = this.frames.some(({ camera }) => camera) ? ["camera"] : [];
    const columns = [...cameras, "frame", "time", "clock", ...COLUMNS];
    return csv([columns, ...this.frames.flatMap((frame) => this.#rows(frame))]);
  }

  /** A program's marker comes a while after it was set, and cameras are not in step: what counts is when a frame was taken. */
  #settleMarkers() {
    const marks = [...this.marks].sort(([a], [b]) => a - b);
    for (const frame of this.frames.filter(({ shared }) => shared)) {
      frame.marker = marks.findLast(([since]) => since <= frame.time)?.[1] ?? frame.marker;
    }
  }

  #rows({ index, time, faces, camera, marker }) {
    const clock = new Date(1000 * time).toISOString();
    const start = [...(camera ? [camera] : []), index, (time - this.frames[0].time).toFixed(3), clock];
    if (!faces.length) return [[...start, ...[...FACE_COLUMNS, ...AS_SEEN_COLUMNS].map(() => ""), marker]];
    return faces.map((face) => [...start, ...faceRow(face), ...asSeenRow(face), marker]);
  }
}
