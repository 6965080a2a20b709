/* What visitors take away: CSV as the command line writes it, JSON, pictures. */

import { LABELS } from "../faces/expressions.js";

export const FACE_COLUMNS = [
  ...["face", "x", "y", "width", "height", "roll", "yaw", "profile"],
  ...["expression", "confidence", "uncertain", ...LABELS],
];

export function faceRow(face) {
  const { id, box, roll, yaw, profile, expression, confidence, uncertain, probabilities } = face;
  const seen = [expression, confidence, Number(uncertain), ...LABELS.map((label) => probabilities[label])];
  return [id, ...box, roll ?? "", yaw ?? "", Number(profile), ...seen];
}

/** Where faces are compared with their rest, or adapted: whether this one is, and its probabilities without. */
export const AS_SEEN_COLUMNS = ["compared", ...LABELS.map((label) => `as_seen_${label}`)];

export function asSeenRow({ as_seen: seen, probabilities }) {
  return [Number(Boolean(seen)), ...LABELS.map((label) => (seen ?? probabilities)[label])];
}

/** Rows as a CSV file (RFC 4180). */
export function csv(rows) {
  const field = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  return new Blob(rows.map((row) => `${row.map(field).join(",")}\r\n`), { type: "text/csv" });
}

export const json = (value) => new Blob([`${JSON.stringify(value, null, 1)}\n`], { type: "application/json" });

export const png = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/png"));

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // some browsers read it only after a question to the user
}

/** "2026-05-17 14.03.22", which all file systems accept. */
export function timestamp() {
  const now = new Date();
  const local = new Date(now - now.getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, 19).replace("T", " ").replaceAll(":", ".");
}
