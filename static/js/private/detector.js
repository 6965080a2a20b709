/* What every face detector gives; as vision/detectors/detector.py has it.

   A detection is { face: Square, score, certain, yaw, profile }: `certain` where one look is enough, `yaw` in degrees or
   null from a detector that tells no angles. */

import { direction } from "./geometry.js";

export const SAME_FACE = 0.5; // Two detections are one face if this share of the smaller one lies inside the other.

/** One detection a face: of those that cover one another, the one with the highest score. */
export function strongest(detections) {
  const kept = [];
  for (const detection of detections.toSorted((a, b) => b.score - a.score)) {
    if (kept.every((other) => detection.face.overlap(other.face) < SAME_FACE)) kept.push(detection);
  }
  return kept;
}

export const rollOf = ({ face, yaw }) => (yaw === null ? null : direction(face.roll));

export const cornersOf = ({ face, yaw }) => (yaw === null ? [] : face.corners());
