/* What is said of faces: new words and figures five times a second, so that they can be read, and at once where a face
   comes or shows something else. Marks, cards and summary all take it from here, so that they say the same. */

import { nameOf } from "./expressions.js";

const EVERY_MS = 200;
const SAID = ["expression", "confidence", "uncertain", "probabilities", "as_seen", "adapted"];

export class Steady {
  said = new Map();
  at = -Infinity;

  /** The faces of the newest frame with what is said of them; where they are, and how they are turned, is as it came. */
  faces(faces, now = performance.now()) {
    const changed = faces.some((face) => !this.said.has(face.id) || nameOf(this.said.get(face.id)) !== nameOf(face));
    if (changed || faces.length !== this.said.size || now - this.at >= EVERY_MS) {
      this.said = new Map(faces.map((face) => [face.id, Object.fromEntries(SAID.map((name) => [name, face[name]]))]));
      this.at = now;
    }
    return faces.map((face) => ({ ...face, ...this.said.get(face.id) }));
  }
}
