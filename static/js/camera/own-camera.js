/* The visitor's own camera: its newest frame is analysed and then shown, so that faces are where their marks are; then
   the newest one by then, so that answers may be rare but never late. Where that is done, on this device or on the server,
   is the analyser's matter. */

import { hideFaces } from "../faces/drawing.js";
import { Light } from "./light.js";
import { NewestFrame } from "./newest-frame.js";
import { steadyNow } from "../page/clock.js";
import { Refusal } from "../page/refusal.js";

const RETRY_MS = 1000;
const SILENCE_MS = 2500; // after that long without a picture it is said
const SLOW_MS = 3000; // for so long a question to the visitor may stand before it is pointed at
const SMALLEST = 16; // pixels a side; some cameras give less until they run
const SOURCE = "My camera";
const WAITING = "Waiting for the camera. If your browser asks whether this page may use it, allow it.";
const SILENT = "The camera gives no picture: a call or another program has it, or its cover is closed. It goes on by itself.";
const DARK = "The camera sends a black picture: is its shutter closed?";
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
  OverconstrainedError: ["The chosen camera is not there", "Plug it in again and choose it, or start another one."],
  NotFoundError: ["No camera found", "Plug one in or switch it on, then try again."],
  NotReadableError: ["The camera is busy", "Another program or tab is using it. Close that, then try again."],
  Ended: ["The camera was disconnected", "Plug it in again, then try again."],
};

export class OwnCamera {
  /**
   * `video` shows the camera until the `stage` above it has the first answer; `analyser`: ServerFrames or DeviceFrames, which may be replaced while
   * the camera is off. `on`: result(result, picture), with `age` in milliseconds and the picture that the faces are in;
   * state(state, reason), lost(), fault(title, text, gone), where `gone` says that the chosen camera is not there; and, if wanted, personalise(result), which returns the result as it
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
    const session = { places: new Map(), analyser: this.analyser, light: new Light() };
    this.session = session;
    this.on.state("opening", "");
    const waiting = setTimeout(() => this.session === session && this.on.state("opening", WAITING), SLOW_MS);
    try {
      const stream = await openCamera(deviceId).finally(() => clearTimeout(waiting));
      if (this.session !== session) return stopTracks(stream);
      await this.#show(stream);
      await session.analyser.start();
    } catch (error) {
      const title = error instanceof Refusal ? "No expressions for now" : "The camera cannot be used";
      const gone = error.name === "OverconstrainedError";
      if (this.session === session) this.#fail(FAULTS[error.name] ?? [title, error.message], gone);
      return;
    }
    const frames = new NewestFrame(this.video);
    while (this.session === session) await this.#analyse(session, frames);
    frames.close();
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
    track.addEventListener("mute", () => this.#silent());
    this.track = track;
    this.mirrored = track.getSettings().facingMode !== "environment";
    this.video.toggleAttribute("data-mirrored", this.mirrored);
    this.video.srcObject = stream;
    await this.video.play();
  }

  #fail([title, text], gone = false) {
    this.stop();
    this.on.fault(title, text, gone);
  }

  /** No picture comes, though the camera is there: what is shown is not true any more. */
  #silent() {
    this.stage.clear();
    this.on.state("silent", SILENT);
  }

  async #analyse(session, frames) {
    const silence = setTimeout(() => this.session === session && this.#silent(), SILENCE_MS);
    await frames.next();
    clearTimeout(silence);
    if (this.session !== session || Math.min(this.video.videoWidth, this.video.videoHeight) < SMALLEST) return;
    if (this.track.muted) {
      this.#silent();
      return unmuted(this.track);
    }
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
    this.dark = this.session.light.isDark(this.picture, performance.now());
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
    if (this.dark) this.on.state("dark", DARK);
    else this.on.state("live", "");
    this.on.result({ ...result, source: SOURCE, index: session.index, time: (steadyNow() - age) / 1000, clock: (Date.now() - age) / 1000, age, mirrored }, picture);
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

/** The cameras there are: { label, deviceId }; each has a name of its own, true ones once a camera has been allowed. */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const found = devices.filter((device) => device.kind === "videoinput");
  return found.map(({ label, deviceId }, i) => {
    const before = found.slice(0, i).filter((other) => other.label === label).length;
    return { label: `${label || "Camera"}${before ? ` (${before + 1})` : ""}`, deviceId };
  });
}

const unmuted = (track) => new Promise((resolve) => track.addEventListener("unmute", resolve, { once: true }));

async function openCamera(deviceId) {
  if (!isSecureContext || !navigator.mediaDevices) throw Object.assign(new Error(), { name: "InsecureContext" });
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, ...which };
  return navigator.mediaDevices.getUserMedia({ video, audio: false });
}

function stopTracks(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}
