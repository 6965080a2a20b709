/* What was seen, frame by frame, while the visitor records, as a table. */

import { AS_SEEN_COLUMNS, FACE_COLUMNS, asSeenRow, csv, faceRow } from "../page/files.js";

const COLUMNS = ["frame", "time", "clock", "source", ...FACE_COLUMNS, ...AS_SEEN_COLUMNS, "marker"];

/** A frame as recordings keep it: a result, and the marker in force. */
export const recorded = ({ index, time, clock, source, faces }, marker) => ({ index, time, clock, source, faces, marker });

/** The CSV file of recorded frames: of each a row a face, or one without a face. */
export const recordingTable = (frames) => csv([COLUMNS, ...frames.flatMap((frame) => rows(frame, frames[0].time))]);

function rows({ index, time, clock, source, faces, marker }, start) {
  const common = [index, (time - start).toFixed(3), new Date(1000 * clock).toISOString(), source];
  if (!faces.length) return [[...common, ...[...FACE_COLUMNS, ...AS_SEEN_COLUMNS].map(() => ""), marker]];
  return faces.map((face) => [...common, ...faceRow(face), ...asSeenRow(face), marker]);
}
