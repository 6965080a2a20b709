/* What was seen, frame by frame, while the visitor records; kept in the page to be saved as a table and as a report. */

import { AS_SEEN_COLUMNS, FACE_COLUMNS, asSeenRow, csv, faceRow } from "../page/files.js";

const COLUMNS = [...FACE_COLUMNS, ...AS_SEEN_COLUMNS, "marker"];

export class Recorder {
  recording = false;

  start() {
    this.recording = true;
    this.frames = [];
  }

  /** Note one frame with the marker in force. Where that counts from earlier on, and came late, frames before have it, too. */
  add({ index, time, faces, camera, marker: told = "", marked_at: since }, marker) {
    const late = (frame) => marker === told && frame?.time >= since && frame.marker !== marker;
    for (let i = this.frames.length - 1; late(this.frames[i]); i--) this.frames[i].marker = marker;
    this.frames.push({ index, time, faces, camera, marker });
  }

  /** End; return the CSV file: of each frame a row a face, or one without a face; with the camera, where there are several. */
  stop() {
    this.recording = false;
    const cameras = this.frames.some(({ camera }) => camera) ? ["camera"] : [];
    const columns = [...cameras, "frame", "time", "clock", ...COLUMNS];
    return csv([columns, ...this.frames.flatMap((frame) => this.#rows(frame))]);
  }

  #rows({ index, time, faces, camera, marker }) {
    const clock = new Date(1000 * time).toISOString();
    const start = [...(camera ? [camera] : []), index, (time - this.frames[0].time).toFixed(3), clock];
    if (!faces.length) return [[...start, ...[...FACE_COLUMNS, ...AS_SEEN_COLUMNS].map(() => ""), marker]];
    return faces.map((face) => [...start, ...faceRow(face), ...asSeenRow(face), marker]);
  }
}
