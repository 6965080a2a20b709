/* The visitor's own camera: frames go to the server one at a time, the next when the answer is here, so that a slow
   network or server makes answers rarer and never late; where answers take long, smaller frames are sent. */

import { hideFaces } from "./drawing.js";

const SENT = [
  { side: 640, quality: 0.85 },
  { side: 640, quality: 0.7 },
  { side: 480, quality: 0.65 },
  { side: 400, quality: 0.55 },
  { side: 320, quality: 0.5 },
];
const SLOW_MS = 450; // answers that take longer make the next frames smaller
const QUICK_MS = 250;
const FIRST_PATIENCE_MS = 3000; // for so long answers have to be quick before larger frames are tried
const LONGEST_PATIENCE_MS = 60_000;
const RETRY_MS = 1000;
const ANSWER_MS = 10_000;
const GONE_MS = 10_000; // For so long, with blur, a place stays hidden where a face was: it may only have turned away.
const LATE_MS = 200; // After this long, faces have moved on: they are shown on the frame that they were found in.

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
  NotReadableError: ["The camera is busy", "Another program is using it. Close that program, then try again."],
  Ended: ["The camera was disconnected", "Plug it in again, then try again."],
};

export class OwnCamera {
  /**
   * `video` shows the camera, below the `stage`; `on`: result(result, picture), with `age` in milliseconds and the
   * picture that the faces are in; state(state, reason), lost(), fault(title, text); and, if wanted,
   * personalise(result), which returns the result as it is to be shown.
   */
  constructor(video, stage, address, on) {
    Object.assign(this, { video, stage, on });
    this.stream = crypto.getRandomValues(new BigUint64Array(2)).join("");
    this.address = `${address}?stream=${this.stream}`;
    this.options = { labels: true, blur: false };
    this.frame = document.createElement("canvas");
  }

  /** Ask for the camera and begin; `deviceId` chooses among several. */
  async start(deviceId) {
    this.stop();
    const session = { places: new Map(), size: new FrameSize() };
    this.session = session;
    this.on.state("opening", "");
    try {
      const stream = await openCamera(deviceId);
      if (this.session !== session) return stopTracks(stream);
      await this.#show(stream);
    } catch (error) {
      if (this.session === session) this.#fail(FAULTS[error.name] ?? ["The camera cannot be used", error.message]);
      return;
    }
    while (this.session === session) await this.#analyse(session);
  }

  stop() {
    this.session?.sending?.abort();
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
    return this.stage.snapshot(this.options.blur ? null : this.video, this.mirrored);
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

  async #analyse(session) {
    await nextFrame(this.video);
    if (this.session !== session) return;
    const takenAt = performance.now();
    try {
      const answer = await this.#ask(session);
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

  async #ask(session) {
    const { videoWidth, videoHeight } = this.video;
    const { side, quality } = session.size.present;
    const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
    this.frame.width = Math.round(videoWidth * scale);
    this.frame.height = Math.round(videoHeight * scale);
    this.frame.getContext("2d", { alpha: false }).drawImage(this.video, 0, 0, this.frame.width, this.frame.height);
    const jpeg = await new Promise((resolve) => this.frame.toBlob(resolve, "image/jpeg", quality));
    const sending = new AbortController();
    session.sending = sending;
    const late = setTimeout(() => sending.abort(), ANSWER_MS);
    const request = { method: "POST", headers: { "Content-Type": "image/jpeg" }, body: jpeg, signal: sending.signal };
    const answer = await fetch(this.address, request);
    const content = await answer.json().catch(() => null);
    clearTimeout(late);
    if (!answer.ok) throw new Refusal(content?.error?.message ?? `The app answered with error ${answer.status}.`);
    return content;
  }

  /** Show the faces over the live picture, or where faces are hidden or have moved on, on the frame they were found in. */
  #answered(session, result, age) {
    session.index = (session.index ?? -1) + 1;
    session.size.answered(age);
    const { frame, mirrored, options } = this;
    const gone = placesLeft(session.places, result.faces, performance.now(), frame.width);
    if (options.blur) hideFaces(frame, result.faces, { width: frame.width, gone });
    if (options.blur || age > LATE_MS) this.stage.show(frame, mirrored);
    else this.stage.clearPicture();
    this.on.state("live", "");
    this.on.result({ ...result, index: session.index, time: Date.now() / 1000, age, mirrored }, frame);
  }
}

/** How large and how good frames are sent, by how long answers take. */
class FrameSize {
  step = 0;
  patience = FIRST_PATIENCE_MS;
  quickSince = performance.now();

  get present() {
    return SENT[this.step];
  }

  answered(took, now = performance.now()) {
    if (took > QUICK_MS) this.quickSince = now;
    if (took > SLOW_MS && this.step < SENT.length - 1) {
      this.step += 1;
      this.patience = Math.min(2 * this.patience, LONGEST_PATIENCE_MS);
    } else if (now - this.quickSince > this.patience && this.step > 0) {
      this.step -= 1;
      this.quickSince = now;
    }
  }
}

/** Take the faces of a frame that is `width` wide; the boxes where others were found lately. */
function placesLeft(places, faces, now, width) {
  for (const [id, { seenAt }] of places) if (now - seenAt > GONE_MS) places.delete(id);
  const present = new Set(faces.map(({ id }) => id));
  const left = [...places].filter(([id]) => !present.has(id)).map(([, place]) => place);
  for (const { id, box } of faces) places.set(id, { box, width, seenAt: now });
  return left.map((place) => place.box.map((value) => (value * width) / place.width)); // frames change in size
}

class Refusal extends Error {}

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

/** Wait for a frame that has not been seen, or for the next repaint where the browser cannot tell. */
function nextFrame(video) {
  return new Promise((resolve) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}
