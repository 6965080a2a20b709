/* What was seen, frame by frame, while the visitor records, as a table. */

import { AS_SEEN_COLUMNS, FACE_COLUMNS, asSeenRow, csv, faceRow } from "../page/files.js";

const COLUMNS = ["frame", "time", "clock", "source", ...FACE_COLUMNS, ...AS_SEEN_COLUMNS, "marker"];

/** A frame as recordings keep it: a result, the marker in force, and since when, where that is the server's. */
export function recorded({ index, time, clock, source, faces, camera, marker: own = "", marked_at: since }, marker) {
  return { index, time, clock, source, faces, camera, marker, ...(marker === own && { shared: true, since }) };
}

/** A program's marker comes a while after it was set, and cameras are not in step: what counts is when a frame was taken. */
export function settled(frames) {
  const known = frames.filter(({ since }) => since !== undefined).map(({ since, marker }) => [since, marker]);
  const marks = [...new Map(known)].sort(([a], [b]) => a - b);
  const markerAt = (time) => marks.findLast(([since]) => since <= time)?.[1];
  return frames.map((frame) => (frame.shared ? { ...frame, marker: markerAt(frame.time) ?? frame.marker } : frame));
}

/** The CSV file of recorded frames: of each a row a face, or one without a face; with the camera, where there are several. */
export function recordingTable(frames) {
  const cameras = frames.some(({ camera }) => camera) ? ["camera"] : [];
  return csv([[...cameras, ...COLUMNS], ...settled(frames).flatMap((frame) => rows(frame, frames[0].time))]);
}

function rows({ index, time, clock, source, faces, camera, marker }, start) {
  const common = [...(camera ? [camera] : []), index, (time - start).toFixed(3), new Date(1000 * clock).toISOString(), source];
  if (!faces.length) return [[...common, ...[...FACE_COLUMNS, ...AS_SEEN_COLUMNS].map(() => ""), marker]];
  return faces.map((face) => [...common, ...faceRow(face), ...asSeenRow(face), marker]);
}
