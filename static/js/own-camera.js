/* The visitor's own camera: frames go to the server one at a time, the next when the answer is here, so that a slow
   network or server makes answers rarer and never late. */

import { drawFaces } from "./drawing.js";

const SENT_SIDE = 640;
const SENT_QUALITY = 0.85;
const RETRY_MS = 1000;
const MEASURED_MS = 2000;
const ANSWER_MS = 10_000;
const GONE_MS = 10_000; // For so long, with blur, a place stays hidden where a face was: it may only have turned away.
const LATE_MS = 200; // After this long, faces have moved on: they are shown on the frame that they were found in.

export const FAULTS = {
  InsecureContext: [
    "The camera needs a secure address",
    "Browsers give a page the camera only on localhost or over HTTPS. Open http://localhost on the computer that runs the app, or start the app with --https.",
  ],
  NotAllowedError: [
    "The camera was not allowed",
    "Allow the camera for this page: click the camera or lock sign beside the address, or look in the system's privacy settings. Then try again.",
  ],
  NotFoundError: ["No camera was found", "Plug one in or switch it on, then try again."],
  NotReadableError: ["The camera is busy", "Another program uses it. Close that program, then try again."],
  Ended: ["The camera was disconnected", "Plug it in again, then try again."],
};

export class OwnCamera {
  /** `video` shows the camera, `overlay` lies over it; `on`: result(result), state(state, reason), fault(title, text),
   *  and, if wanted, personalise(result), which returns the result as it is to be shown. */
  constructor(video, overlay, address, on) {
    Object.assign(this, { video, overlay, on });
    this.stream = crypto.getRandomValues(new BigUint64Array(2)).join("");
    this.address = `${address}?stream=${this.stream}`;
    this.options = { labels: true, blur: false };
    this.frame = document.createElement("canvas");
  }

  /** Ask for the camera and begin; `deviceId` chooses among several. */
  async start(deviceId) {
    this.stop();
    const session = { answers: [], places: new Map() };
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
    this.#clear();
  }

  get deviceId() {
    return this.video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
  }

  show(options) {
    this.options = options;
    this.video.toggleAttribute("data-hidden", options.blur);
  }

  /** The picture as it is shown, as a canvas. */
  snapshot() {
    const canvas = document.createElement("canvas");
    canvas.width = this.overlay.width;
    canvas.height = this.overlay.height;
    if (!this.options.blur) this.#paint(canvas, this.video);
    canvas.getContext("2d").drawImage(this.overlay, 0, 0);
    return canvas;
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
    this.on.state("failed", "");
  }

  async #analyse(session) {
    await nextFrame(this.video);
    if (this.session !== session) return;
    const sentAt = performance.now();
    try {
      const answer = await this.#ask(session);
      const result = this.on.personalise?.(answer) ?? answer;
      if (this.session === session) this.#answered(session, result, sentAt);
    } catch (error) {
      if (this.session !== session) return;
      this.#clear();
      this.on.state("reconnecting", error instanceof Refusal ? error.message : "The app does not answer.");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #ask(session) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, SENT_SIDE / Math.max(videoWidth, videoHeight));
    this.frame.width = Math.round(videoWidth * scale);
    this.frame.height = Math.round(videoHeight * scale);
    this.frame.getContext("2d", { alpha: false }).drawImage(this.video, 0, 0, this.frame.width, this.frame.height);
    const jpeg = await new Promise((resolve) => this.frame.toBlob(resolve, "image/jpeg", SENT_QUALITY));
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

  #answered(session, result, sentAt) {
    const now = performance.now();
    session.answers = [...session.answers.filter((time) => now - time < MEASURED_MS), now];
    const { answers } = session;
    const fps = answers.length > 1 ? (1000 * (answers.length - 1)) / (now - answers[0]) : null;
    session.index = (session.index ?? -1) + 1;
    const gone = placesLeft(session.places, result.faces, now);
    this.#draw({ ...result, gone }, this.options.blur || now - sentAt > LATE_MS);
    this.on.state("live", "");
    this.on.result({ ...result, index: session.index, time: Date.now() / 1000, fps, latency_ms: now - sentAt });
  }

  /** Draw the faces over the live picture, or with `still` over the frame that they were found in. */
  #draw(result, still) {
    const { overlay, options } = this;
    const [width, height] = [this.video.videoWidth, this.video.videoHeight];
    if (overlay.width !== width || overlay.height !== height) Object.assign(overlay, { width, height });
    if (still) this.#paint(overlay, this.frame);
    else this.#clear();
    const { faces, width: sentWidth, gone } = result;
    drawFaces(overlay, faces, { ...options, width: sentWidth, gone, mirrored: this.mirrored });
  }

  /** Fill the canvas with a picture, mirrored as people expect of their own. */
  #paint(canvas, picture) {
    const context = canvas.getContext("2d");
    if (this.mirrored) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    context.resetTransform();
  }

  #clear() {
    this.overlay.getContext("2d").clearRect(0, 0, this.overlay.width, this.overlay.height);
  }
}

/** Take the faces of a frame; the boxes where others were found lately. */
function placesLeft(places, faces, now) {
  for (const [id, { seenAt }] of places) if (now - seenAt > GONE_MS) places.delete(id);
  const present = new Set(faces.map(({ id }) => id));
  const gone = [...places].filter(([id]) => !present.has(id)).map(([, { box }]) => box);
  for (const { id, box } of faces) places.set(id, { box, seenAt: now });
  return gone;
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
