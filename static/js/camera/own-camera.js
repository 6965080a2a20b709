/* The visitor's own camera: its newest frame is analysed and then shown, so that faces are where their marks are; then
   the newest one by then, so that answers may be rare but never late. Where that is done, on this device or on the server,
   is the analyser's matter. */

import { hideFaces } from "../faces/drawing.js";
import { Refusal } from "../page/refusal.js";

const RETRY_MS = 1000;
const GONE_MS = 10_000; // For so long, with blur, a place stays hidden where a face was: it may only have turned away.

export const FAULTS = {
  InsecureContext: [
    "The camera needs a secure address",
    "Browsers allow the camera only on localhost and over HTTPS. Ask whoever runs the app for an address that starts with https://.",
  ],
  NotAllowedError: [
    "The camera is blocked",
    "Allow the camera for this page: click the camera or lock icon in the address bar, or check the system’s privacy settings. Then try again.",
  ],
  NotFoundError: ["No camera found", "Plug one in or switch it on, then try again."],
  NotReadableError: ["The camera is busy", "Another program or tab is using it. Close that, then try again."],
  Ended: ["The camera was disconnected", "Plug it in again, then try again."],
};

export class OwnCamera {
  /**
   * `video` shows the camera until the `stage` above it has the first answer; `analyser`: ServerFrames or DeviceFrames, which may be replaced while
   * the camera is off. `on`: result(result, picture), with `age` in milliseconds and the picture that the faces are in;
   * state(state, reason), lost(), fault(title, text); and, if wanted, personalise(result), which returns the result as it
   * is to be shown.
   */
  constructor(video, stage, analyser, on) {
    Object.assign(this, { video, stage, analyser, on });
    this.options = { labels: true, blur: false };
    this.picture = document.createElement("canvas"); // as large as the camera has it
    this.small = document.createElement("canvas");
  }

  /** Ask for the camera and begin; `deviceId` chooses among several. */
  async start(deviceId) {
    this.stop();
    const session = { places: new Map(), analyser: this.analyser };
    this.session = session;
    this.on.state("opening", "");
    try {
      const stream = await openCamera(deviceId);
      if (this.session !== session) return stopTracks(stream);
      await this.#show(stream);
      await session.analyser.start();
    } catch (error) {
      const title = error instanceof Refusal ? "No expressions for now" : "The camera cannot be used";
      if (this.session === session) this.#fail(FAULTS[error.name] ?? [title, error.message]);
      return;
    }
    const frames = new NewestFrame(this.video);
    while (this.session === session) await this.#analyse(session, frames);
  }

  stop() {
    this.session?.analyser.stop();
    this.session = null;
    stopTracks(this.video.srcObject);
    this.video.srcObject = null;
    this.stage.clear();
  }

  get running() {
    return this.session != null;
  }

  get deviceId() {
    return this.video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
  }

  show(options) {
    this.options = options;
    this.video.toggleAttribute("data-hidden", options.blur);
    if (options.blur && this.running) this.stage.clear(); // what is there may show faces
  }

  /** The picture as it is shown, as a canvas. */
  snapshot() {
    return this.stage.snapshot();
  }

  async #show(stream) {
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => this.#fail(FAULTS.Ended));
    this.mirrored = track.getSettings().facingMode !== "environment";
    this.video.toggleAttribute("data-mirrored", this.mirrored);
    this.video.srcObject = stream;
    await this.video.play();
  }

  #fail([title, text]) {
    this.stop();
    this.on.fault(title, text);
  }

  async #analyse(session, frames) {
    await frames.next();
    if (this.session !== session) return;
    const takenAt = performance.now();
    try {
      const answer = await session.analyser.analyse(this.#take(session.analyser.side));
      const result = this.on.personalise?.(answer) ?? answer;
      if (this.session === session) this.#answered(session, result, performance.now() - takenAt);
    } catch (error) {
      if (this.session !== session) return;
      this.stage.clear();
      if (error instanceof Refusal) this.on.state("reconnecting", error.message);
      else this.on.lost();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Take the newest frame as it is shown; return it as it is analysed, its longer side no longer than `side` pixels. */
  #take(side) {
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, side / Math.max(width, height));
    draw(this.picture, this.video, width, height);
    if (scale < 1) draw(this.small, this.picture, Math.round(width * scale), Math.round(height * scale));
    this.frame = scale < 1 ? this.small : this.picture;
    return this.frame;
  }

  /** Show the frame that was analysed, its faces hidden where that is wanted. */
  #answered(session, result, age) {
    session.index = (session.index ?? -1) + 1;
    session.analyser.answered(age);
    const { picture, mirrored } = this;
    const { width } = result;
    const gone = placesLeft(session.places, result.faces, performance.now(), width);
    if (this.options.blur) hideFaces(picture, result.faces, { width, gone });
    this.stage.show(picture, mirrored);
    this.on.state("live", "");
    this.on.result({ ...result, index: session.index, time: (Date.now() - age) / 1000, age, mirrored }, picture);
  }
}

function draw(canvas, source, width, height) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d", { alpha: false }).drawImage(source, 0, 0, width, height);
}

/** Take the faces of a frame that is `width` wide; the boxes where others were found lately. */
function placesLeft(places, faces, now, width) {
  for (const [id, { seenAt }] of places) if (now - seenAt > GONE_MS) places.delete(id);
  const present = new Set(faces.map(({ id }) => id));
  const left = [...places].filter(([id]) => !present.has(id)).map(([, place]) => place);
  for (const { id, box } of faces) places.set(id, { box, width, seenAt: now });
  return left.map((place) => place.box.map((value) => (value * width) / place.width)); // frames change in size
}

/** The cameras there are; without names until one has been allowed. */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === "videoinput");
}

async function openCamera(deviceId) {
  if (!isSecureContext || !navigator.mediaDevices) throw Object.assign(new Error(), { name: "InsecureContext" });
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...which };
  return navigator.mediaDevices.getUserMedia({ video, audio: false });
}

function stopTracks(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}

/** Tells when a video has a frame that was not taken yet: at once where it has, at the next repaint where none can tell. */
class NewestFrame {
  constructor(video) {
    this.video = video;
    this.#watch();
  }

  /** Resolves when there is a new frame. */
  next() {
    if (!this.video.requestVideoFrameCallback) return new Promise(requestAnimationFrame);
    const come = this.come;
    return come.then(() => {
      if (this.come === come) this.#watch();
    });
  }

  #watch() {
    this.come = new Promise((resolve) => this.video.requestVideoFrameCallback?.(resolve));
  }
}
