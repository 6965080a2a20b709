/* From one picture to the faces in it and their expressions; as pipeline.py has it. */

import { RestingFace } from "../faces/resting-face.js";
import { LABELS } from "../faces/expressions.js";
import { largest, toNamed } from "../faces/probabilities.js";
import { cropFace, prepare } from "./crops.js";
import { direction } from "./geometry.js";
import { TURNS, turned } from "./pixels.js";
import { Smoother } from "./smoothing.js";
import { FaceTracker } from "./tracking.js";

const LYING = 60; // degrees of roll from which a head is not held that way: the picture lies on its side

export class Pipeline {
  /**
   * `detector` follows faces and finds those of single pictures; `search` as `FaceTracker` wants it;
   * `classify(faces)`: rows of seven probabilities for faces as `prepare` makes them. `settings`: min_face (a share of
   * the shorter side, or null), smoothing (seconds), min_confidence (0-1).
   */
  constructor(detector, search, classify, settings) {
    Object.assign(this, { detector, classify, settings, minFace: settings.min_face ?? detector.minFace });
    this.tracker = new FaceTracker(detector, search, this.minFace);
    this.reset();
  }

  /** Forget all faces: the next frame is the first of another video. */
  reset() {
    this.tracker.reset();
    this.seen = new Map();
    this.compared = new Map();
    this.rests = new Map();
  }

  /** Compare a face with its rest, seven probabilities by name, from the next frame on; with null no more. */
  compare(id, rest) {
    if (rest) this.rests.set(id, RestingFace.fromRecord(rest));
    else this.rests.delete(id);
  }

  /** The faces of a video's next frame, as the API has them; `time` in seconds. */
  async next(picture, time) {
    const tracks = await this.tracker.update(picture, time);
    const rows = await this.#look(picture, tracks);
    const faces = tracks.map((track, i) => this.#describe(track, rows[i], time));
    keepOnly(this.rests, this.tracker.numbers);
    for (const smoothers of [this.seen, this.compared]) keepOnly(smoothers, tracks.map(({ id }) => id));
    return faces;
  }

  /** The faces of a single picture, turned by quarters where none in it is upright: { turned, faces }. */
  async still(picture) {
    const look = async (turn) => ({ turned: turn, faces: await this.#facesOf(turned(picture, turn)) });
    let found = { turned: 0, faces: [] };
    for (const turn of TURNS) if (!found.faces.length) found = await look(turn);
    if (!found.faces.length) return { turned: 0, faces: [] };
    const lying = quarters(found.faces);
    const upright = lying && (await look((found.turned - lying + 360) % 360));
    return upright && upright.faces.length ? upright : found;
  }

  async #facesOf(picture) {
    const smallest = this.minFace * Math.min(picture.width, picture.height);
    const found = await this.detector.find(picture, smallest, { thorough: true });
    const sightings = found
      .sort((a, b) => a.face.x - b.face.x)
      .map((detection, i) => ({ id: i + 1, detection, box: detection.face.box(picture) }))
      .filter(({ box }) => box);
    const rows = await this.#look(picture, sightings);
    const { min_confidence: threshold } = this.settings;
    return sightings.map((sighting, i) => record(sighting, rows[i], largest(rows[i]), threshold));
  }

  /** What the network says of each face alone. */
  async #look(picture, sightings) {
    if (!sightings.length) return [];
    return this.classify(sightings.map(({ detection: { face } }) => prepare(cropFace(picture, face.corners()))));
  }

  #describe(track, raw, time) {
    let smoother = this.#smoother(this.seen, track.id);
    const seen = smoother.update(raw, time);
    const rest = this.rests.get(track.id);
    if (!rest) return record(track, seen, smoother.shown, smoother.threshold);
    smoother = this.#smoother(this.compared, track.id);
    const compared = smoother.update(rest.correct(raw), time);
    return { ...record(track, compared, smoother.shown, smoother.threshold), as_seen: toNamed(seen) };
  }

  #smoother(smoothers, id) {
    const { smoothing, min_confidence: minConfidence } = this.settings;
    if (!smoothers.has(id)) smoothers.set(id, new Smoother(smoothing, minConfidence));
    return smoothers.get(id);
  }
}

/** A face as the API has it. */
function record({ id, box, detection }, probabilities, shown, threshold) {
  const { face, yaw, profile } = detection;
  const confidence = probabilities[shown];
  return {
    id,
    box,
    roll: rounded(direction(face.roll)),
    yaw: rounded(yaw),
    profile,
    corners: face.corners(),
    expression: LABELS[shown],
    confidence,
    uncertain: profile || confidence < threshold,
    probabilities: toNamed(probabilities),
  };
}

/** By how many degrees, in quarters of a turn, the largest face lies clockwise: 0, 90, 180 or 270. */
function quarters(faces) {
  const area = ({ box: [, , width, height] }) => width * height;
  const roll = faces.reduce((one, other) => (area(other) > area(one) ? other : one)).roll ?? 0;
  return Math.abs(roll) < LYING ? 0 : (90 * Math.round(roll / 90) + 360) % 360;
}

const rounded = (degrees) => Number(degrees.toFixed(1));

function keepOnly(byId, ids) {
  for (const id of byId.keys()) if (!ids.includes(id)) byId.delete(id);
}
