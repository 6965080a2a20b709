/* A card's own part in resting faces: hold still for two seconds, be compared from then on, take it back. */

import { LABELS } from "./expressions.js";
import { download, json, timestamp } from "../page/files.js";
import { keep, personal } from "./personal.js";
import { largest, toNamed, toRow } from "./probabilities.js";
import { askToCompare } from "./rest-request.js";
import { RestingFace } from "./resting-face.js";

const HOLD_MS = 2000;
const MAX_MOVED = 0.2; // by how much rows differ from their mean, on average, as total variation
const MIN_FRAMES = 4;

export class FaceRest {
  #held = null;

  /** `element`: the card; `number`: the face's; `rests`: what tells the app. */
  constructor(element, number, rests) {
    Object.assign(this, { number, rests });
    this.part = (name) => element.querySelector(`.${name}`);
    this.part("rest-set").addEventListener("click", () => this.#hold());
    this.part("rest-off").addEventListener("click", () => this.#takeBack());
    this.part("rest-save").addEventListener("click", () => this.#save());
  }

  /** Take in the face of a frame. */
  show(face, now) {
    this.#held?.rows.push(toRow(face.as_seen ?? face.probabilities));
    if (this.#held) this.#say(relax(HOLD_MS - (now - this.#held.since)));
    if (this.#held && now - this.#held.since >= HOLD_MS) this.#set(this.#held.rows);
    const used = face.adapted ? "adapted" : face.as_seen ? "compared" : "";
    if (used === this.used) return;
    this.used = used;
    this.#say({ adapted: "Adapted to you", compared: "Compared with your resting face" }[used] ?? "");
    this.part("rest-set").hidden = Boolean(used);
    this.part("rest-off").hidden = !used;
    this.part("rest-off").textContent = used === "adapted" ? "Stop adapting" : "Stop comparing";
    this.part("rest-save").hidden = used !== "compared" || !this.rest;
  }

  #hold() {
    this.#held = { since: performance.now(), rows: [] };
    this.part("rest-set").disabled = true;
    this.#say(relax(HOLD_MS));
  }

  async #set(rows) {
    this.#held = null;
    this.part("rest-set").disabled = false;
    if (rows.length < MIN_FRAMES) return this.#say("The face was not seen long enough. Look towards the camera, and try again.");
    if (moved(rows) > MAX_MOVED) return this.#say("Your face moved. Relax it, keep still for two seconds, and try again.");
    const rest = RestingFace.of(rows);
    const problem = await this.rests.set(this.number, rest);
    if (problem) return this.#say(problem);
    this.rest = rest;
    this.#say("");
  }

  async #takeBack() {
    this.rest = null;
    this.#say((await this.rests.takeBack(this.number)) ?? "");
  }

  #save() {
    download(json({ resting_face: this.rest.record() }), `resting face ${timestamp()}.json`);
  }

  #say(words) {
    this.part("rest-words").textContent = words;
  }
}

const relax = (left) => `Relax your face, and keep still … ${Math.max(1, Math.ceil(left / 1000))}`;

/** By how much rows of probabilities differ from their mean, on average: 0 of a face at rest, to 1. */
function moved(rows) {
  const mean = rows[0].map((_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);
  const distance = (row) => row.reduce((sum, value, k) => sum + Math.abs(value - mean[k]), 0) / 2;
  return rows.reduce((sum, row) => sum + distance(row), 0) / rows.length;
}

/** With what faces are compared: those of the server's video, or of the visitor's own camera. */
export class Rests {
  #asked = new Set();

  /**
   * `address`: of the API; `leastConfidence`: below it a face is uncertain; `own()`: what analyses the own camera while
   * that is shown, else null; `which`: { camera } where there are several.
   */
  constructor(address, leastConfidence, own, which = {}) {
    Object.assign(this, { address, leastConfidence, own, which });
  }

  /** Compare a face with its rest; returns what stood in the way, in words, or null. */
  async set(face, rest) {
    const problem = await this.#compare(face, rest);
    if (!problem && this.own()) keep({ rest });
    return problem;
  }

  /** Show the face as it is seen again. */
  async takeBack(face) {
    const { adaptation } = personal();
    if (this.own()) keep({});
    return adaptation && this.own() ? null : this.#compare(face, null);
  }

  /** What the visitor kept counts for the only face before their own camera, which is theirs. */
  personalise(result) {
    const [face, ...others] = result.faces;
    const { rest, adaptation } = personal();
    if (!face || others.length) return result;
    if (adaptation) return { ...result, faces: [adapted(face, adaptation, this.leastConfidence)] };
    if (rest && !face.as_seen && !this.#asked.has(face.id)) {
      this.#asked.add(face.id);
      this.#compare(face.id, rest).finally(() => this.#asked.delete(face.id));
    }
    return result;
  }

  #compare(face, rest) {
    return this.own()?.compare(face, rest) ?? askToCompare(this.address, { face, ...this.which }, rest);
  }
}

/** The face as an adaptation has it. */
function adapted(face, adaptation, leastConfidence) {
  const seen = face.as_seen ?? face.probabilities;
  const probabilities = toNamed(adaptation.apply(toRow(seen)));
  const expression = LABELS[largest(toRow(probabilities))];
  const confidence = probabilities[expression];
  return { ...face, probabilities, as_seen: seen, expression, confidence, uncertain: confidence < leastConfidence, adapted: true };
}
