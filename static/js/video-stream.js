/* The MJPEG stream, read part by part into a canvas.

   An image element would show it too, but stays on its last picture, without any event, when the connection breaks.
   Here the end is seen, and the stream is opened again. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const SILENCE_MS = 15000; // The server says something every five seconds.
const HEADER_END = [13, 10, 13, 10];

export class VideoStream {
  /** Draw the stream at `url` into `canvas`; tell `onTrouble` in words what the server refuses, "" when it plays. */
  constructor(canvas, url, onTrouble) {
    Object.assign(this, { canvas, url, onTrouble, wait: FIRST_WAIT_MS });
    this.context = canvas.getContext("2d", { alpha: false });
  }

  start() {
    this.stop();
    this.abort = new AbortController();
    this.#expectMore();
    this.#play(this.abort);
  }

  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.abort?.abort();
  }

  async #play(abort) {
    try {
      const answer = await fetch(this.url, { signal: abort.signal });
      if (!answer.ok) throw new Refusal((await answer.json()).error.message);
      for await (const jpeg of jpegs(answer.body)) this.#received(jpeg, abort);
    } catch (error) {
      if (error instanceof Refusal) this.onTrouble(error.message);
    }
    if (this.abort !== abort || abort.signal.aborted) return;
    this.timer = setTimeout(() => this.start(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
  }

  /** Begin anew if nothing comes for a while. */
  #expectMore() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.start(), SILENCE_MS);
  }

  #received(jpeg, abort) {
    this.wait = FIRST_WAIT_MS;
    this.#expectMore();
    this.newest = jpeg;
    if (!this.drawing) this.#draw(abort);
  }

  /** Draw the newest picture until there is no newer one: where decoding is slow, pictures are skipped. */
  async #draw(abort) {
    this.drawing = true;
    while (this.newest && !abort.signal.aborted) {
      const jpeg = this.newest;
      this.newest = null;
      const picture = await createImageBitmap(jpeg).catch(() => null);
      if (picture) this.#show(picture);
    }
    this.drawing = false;
  }

  #show(picture) {
    const { canvas } = this;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    this.context.drawImage(picture, 0, 0);
    picture.close();
    canvas.dataset.frames = Number(canvas.dataset.frames ?? 0) + 1;
    this.onTrouble("");
  }
}

class Refusal extends Error {}

/** Yield the pictures of a multipart/x-mixed-replace body whose parts say their Content-Length. */
async function* jpegs(body) {
  let bytes = new Uint8Array(0);
  let size = null; // of the picture whose header has been read
  for await (const chunk of chunks(body)) {
    bytes = joined(bytes, chunk);
    for (;;) {
      if (size === null) {
        const end = indexOf(bytes, HEADER_END);
        if (end < 0) break;
        size = Number(/content-length: *(\d+)/i.exec(new TextDecoder().decode(bytes.subarray(0, end)))[1]);
        bytes = bytes.subarray(end + HEADER_END.length);
      }
      if (bytes.length < size) break;
      yield new Blob([bytes.slice(0, size)], { type: "image/jpeg" });
      bytes = bytes.subarray(size);
      size = null;
    }
  }
}

/** Streams are async iterables in fewer browsers than they are streams. */
async function* chunks(body) {
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function joined(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function indexOf(bytes, pattern) {
  for (let at = 0; at + pattern.length <= bytes.length; at++) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
