/* Follows faces from frame to frame, so that each keeps its number. A few times a second the detector searches a whole
   frame; in the others it looks for each known face where that was last, which costs far less. */

import { direction } from "./geometry.js";

const GRACE = 0.25; // seconds for which a face is shown that is not to be seen
const MEMORY = 2.5; // seconds for which a lost face is remembered, to be known again where it was
const PULL = 0.3; // how far a box goes, at least, towards where the face is seen: all the way would make it tremble
const NEAR = 0.5; // how far a face may be from where it was, in widths of it
const COLLISION = 0.6; // two tracks of which this share overlaps have come to follow one face

export class FaceTracker {
  /** `minFace`: smallest face, as a share of the shorter side. */
  constructor(detector, minFace) {
    Object.assign(this, { detector, minFace });
    this.reset();
  }

  /** Forget all faces: the next frame is the first of another video. */
  reset() {
    this.tracks = [];
    this.lost = [];
    this.nextId = 1;
    this.searchedAt = -Infinity;
    this.size = "";
  }

  /** The tracks of the faces in the next frame, from left to right: { id, detection, box }. `time` in seconds. */
  async update(picture, time) {
    const size = `${picture.width}x${picture.height}`;
    if (size !== this.size) this.reset();
    this.size = size;
    const due = !this.tracks.length || time - this.searchedAt >= this.detector.period;
    if (due) await this.#search(picture, time);
    else await this.#follow(picture, time);
    this.#giveUp(time);
    return this.#visible(picture);
  }

  async #search(picture, time) {
    this.searchedAt = time;
    const known = this.tracks.map(({ detection }) => detection.face);
    const smallest = this.minFace * Math.min(picture.width, picture.height);
    const news = new Set(await this.detector.find(picture, smallest, { thorough: false, known }));
    for (const [track, detection] of matches(this.tracks, news)) {
      confirm(track, detection, time);
      news.delete(detection);
    }
    for (const detection of [...news].sort((a, b) => a.face.x - b.face.x)) this.#welcome(detection, time);
  }

  async #follow(picture, time) {
    for (const track of this.tracks) {
      const seen = await this.detector.follow(picture, track.detection);
      if (seen && seen.face.distance(track.detection.face) <= NEAR) confirm(track, seen, time);
    }
    const collides = (track) => this.tracks.some((other) => other.id < track.id && other.detection.face.overlap(track.detection.face) > COLLISION);
    this.tracks = this.tracks.filter((track) => !collides(track));
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
