/* Follows faces from frame to frame, so that each keeps its number. In every frame each known face is looked for where it
   was last. A few times a second a whole frame is searched for others, while frames go on. */

import { direction } from "./geometry.js";

const PERIOD = 0.2; // seconds, at least, from one search to the next: a new face is to be shown within 0.3
const RARE = 0.12; // seconds between two frames from which faces move far, and the next waits for its search
const GRACE = 0.25; // seconds for which a face is shown that is not to be seen
const MEMORY = 2.5; // seconds for which a lost face is remembered, to be known again where it was
const PULL = 0.3; // how far a box goes, at least, towards where the face is seen: all the way would make it tremble
const NEAR = 0.5; // how far a face may be from where it was, in widths of it
const COLLISION = 0.6; // two tracks of which this share overlaps have come to follow one face

export class FaceTracker {
  nextId = 1;

  /**
   * `detector` finds a face again; `search(picture, smallest, known)`, in its own time, those that are not known. `minFace`:
   * smallest face, as a share of the shorter side.
   */
  constructor(detector, search, minFace) {
    Object.assign(this, { detector, search, minFace });
    this.reset();
  }

  /** Forget all faces: the next frame is the first of another video, and is searched before it is shown. */
  reset() {
    this.tracks = [];
    this.lost = [];
    this.searching = null;
    this.searchedAt = this.time = -Infinity;
    this.size = "";
  }

  /** Of the faces that are followed, and of those that may get their number back. */
  get numbers() {
    return [...this.tracks, ...this.lost].map(({ id }) => id);
  }

  /** The tracks of the faces in the next frame, from left to right: { id, detection, box }. `time` in seconds. */
  async update(picture, time) {
    const size = `${picture.width}x${picture.height}`;
    if (size !== this.size) this.reset();
    const elapsed = time - this.time;
    Object.assign(this, { size, time });
    await this.#follow(picture, time);
    const waits = elapsed > RARE;
    if (this.searching && (this.searching.done || waits)) await this.#takeIn(picture, time);
    const missing = this.tracks.some(({ seenAt }) => seenAt < time) || (waits && !this.tracks.length);
    if (!this.searching && (missing || time - this.searchedAt >= PERIOD)) this.#beginSearch(picture, time);
    if (this.searching && waits) await this.#takeIn(picture, time);
    this.#giveUp(time);
    return this.#visible(picture);
  }

  #beginSearch(picture, time) {
    const known = this.tracks.filter(({ seenAt }) => seenAt === time).map(({ detection }) => detection.face);
    const found = this.search(picture, this.minFace * Math.min(picture.width, picture.height), known);
    const searching = { found, done: false };
    const end = () => (searching.done = true);
    found.then(end, end);
    this.searching = searching;
    this.searchedAt = time;
  }

  /** Follow what was found, in this frame or an earlier one, from where it is now. */
  async #takeIn(picture, time) {
    const { found } = this.searching;
    this.searching = null;
    const news = new Set();
    for (const detection of await found) {
      news.add(this.searchedAt === time ? detection : ((await this.#lookAgain(picture, detection)) ?? detection));
    }
    for (const [track, detection] of matches(this.tracks, news)) {
      if (track.seenAt < time) confirm(track, detection, time);
      news.delete(detection);
    }
    for (const detection of [...news].sort((a, b) => a.face.x - b.face.x)) this.#welcome(detection, time);
  }

  async #follow(picture, time) {
    for (const track of this.tracks) {
      const seen = await this.#lookAgain(picture, track.detection);
      if (seen) confirm(track, seen, time);
    }
    const collides = (track) => this.tracks.some((other) => other.id < track.id && other.detection.face.overlap(track.detection.face) > COLLISION);
    this.tracks = this.tracks.filter((track) => !collides(track));
  }

  /** A face that was detected a moment ago, as it is in this picture; null if it is not seen there. */
  async #lookAgain(picture, before) {
    const seen = await this.detector.follow(picture, before);
    return seen && seen.face.distance(before.face) <= NEAR ? seen : null;
  }

  /** Follow a face: one that was lost about there, or a new one. */
  #welcome(detection, time) {
    const [[known] = []] = matches(this.lost, [detection]);
    this.lost = this.lost.filter((track) => track !== known);
    const id = known?.id ?? this.nextId++;
    this.tracks.push({ id, detection, seenAt: time });
  }

  #giveUp(time) {
    const gone = this.tracks.filter(({ seenAt }) => time - seenAt > GRACE);
    this.tracks = this.tracks.filter((track) => !gone.includes(track));
    this.lost = [...this.lost, ...gone].filter(({ seenAt }) => time - seenAt <= MEMORY);
  }

  #visible(picture) {
    return this.tracks
      .map((track) => ({ ...track, box: track.detection.face.box(picture) }))
      .filter(({ box }) => box)
      .sort((a, b) => a.box[0] - b.box[0]);
  }
}

/** Which track each detection belongs to, the nearest first, as far as it belongs to one. */
function matches(tracks, detections) {
  const pairs = tracks.flatMap((track) =>
    [...detections].map((detection) => ({ track, detection, distance: detection.face.distance(track.detection.face) })),
  );
  const found = new Map();
  for (const { track, detection } of pairs.filter(({ distance }) => distance <= NEAR).sort((a, b) => a.distance - b.distance)) {
    if (!found.has(track) && ![...found.values()].includes(detection)) found.set(track, detection);
  }
  return [...found];
}

/** Correct a track by where its face is seen. */
function confirm(track, detection, time) {
  const before = track.detection.face;
  track.detection = { ...detection, face: before.towards(detection.face, pull(before, detection.face)) };
  track.seenAt = time;
}

/** How far the box goes to where the face is seen: the further off it is, the less can be noise. */
function pull(face, seen) {
  const turn = Math.abs(direction(seen.roll - face.roll));
  return Math.min(1, PULL + 5 * (face.distance(seen) + Math.abs(1 - seen.size / face.size) + turn / 90));
}
