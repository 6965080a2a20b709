/* The server's live stream: pictures, each with what is seen in it, over one connection that comes back when it breaks.

   A fast network gets every frame. On a slow one, the stream is opened again with a lower rate before pictures become
   old, and with a higher one when there is room; the old stream goes on until the new one's first picture is here.

   Some proxies and virus scanners pass nothing of an answer before its end, which a stream has not. After two attempts
   without a word, single pictures are asked for, one after the other. */

import { parts } from "./multipart.js";
import { RateControl } from "./rate-control.js";
import { Refusal } from "../page/refusal.js";
import { pageAnswerMs } from "./server-clock.js";

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 2000;
const MAX_SILENT = 2; // attempts
const SINGLE_PAUSE_MS = 50;
const SILENCE_MS = 8000; // The server says something every five seconds,
const FIRST_WORD_MS = 4000; // and its first word at once.

export class LiveStream {
  /** `on`: picture(bitmap, frame), status(status), lost(), refused(words); `clock`: a ServerClock; `camera`: its name, or null. */
  constructor(address, clock, on, camera = null) {
    Object.assign(this, { address, clock, on, camera, wait: FIRST_WAIT_MS, blur: false, open: new Set(), silent: 0 });
  }

  /** Whether pictures come one by one, because a stream does not get through. */
  get single() {
    return this.silent >= MAX_SILENT;
  }

  start() {
    this.stop();
    this.running = true;
    this.control ??= new RateControl(pageAnswerMs());
    this.clock.set();
    this.#connect();
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.#close();
    this.newest = null;
  }

  /** Open the stream anew: where faces have to be hidden from now on, for one. */
  reopen() {
    if (!this.running) return;
    this.#close();
    this.#connect();
  }

  #close(connections = [...this.open]) {
    for (const connection of connections) {
      connection.abort();
      this.open.delete(connection);
    }
  }

  /** The connections that were opened before this one. */
  #before(connection) {
    const all = [...this.open];
    return all.slice(0, all.indexOf(connection));
  }

  async #connect() {
    clearTimeout(this.timer);
    const connection = new AbortController();
    this.open.add(connection);
    this.control.begin();
    this.#expectMore(FIRST_WORD_MS);
    try {
      const query = new URLSearchParams({ blur: Number(this.blur) });
      if (this.camera) query.set("camera", this.camera);
      if (this.control.rate) query.set("rate", this.control.rate);
      if (this.single) query.set("single", 1);
      const answer = await fetch(`${this.address}?${query}`, { signal: connection.signal });
      if (!answer.ok) throw new Refusal((await answer.json()).error.message);
      await this.#read(connection, answer.body);
    } catch (error) {
      if (!connection.signal.aborted) this.#ended(connection, error);
      return;
    }
    if (!connection.signal.aborted) this.#ended(connection);
  }

  /** Open the stream again a little later, unless another connection goes on: then nothing is missing. */
  #ended(connection, error) {
    this.open.delete(connection);
    if (this.open.size) return;
    if (this.single && !error) {
      this.timer = setTimeout(() => this.#connect(), SINGLE_PAUSE_MS);
      return;
    }
    this.silent = 0; // what is gone altogether may come back as it was before
    if (error instanceof Refusal) this.on.refused(error.message);
    else this.on.lost();
    this.timer = setTimeout(() => this.start(), this.wait);
    this.wait = Math.min(2 * this.wait, MAX_WAIT_MS);
  }

  async #read(connection, body) {
    let frame = null;
    for await (const { type, bytes } of parts(body)) {
      this.wait = FIRST_WAIT_MS;
      if (!this.single) this.silent = 0;
      this.#expectMore();
      if (type === "application/json") {
        const news = JSON.parse(new TextDecoder().decode(bytes));
        if (news.status) this.on.status(news.status);
        frame = news.frame ?? frame;
      } else {
        this.#close(this.#before(connection));
        this.#arrived(frame, bytes);
      }
    }
  }

  /** Begin anew if nothing comes for so long. */
  #expectMore(patience = SILENCE_MS) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.silent = this.single ? 0 : this.silent + 1;
      this.on.lost();
      this.start();
    }, patience);
  }

  #arrived(frame, jpeg) {
    const underWay = this.clock.since(frame.sent); // what the server took before that is no fault of the network
    const change = underWay === null || this.single ? "" : this.control.arrived(underWay, jpeg.length);
    if (change === "less") this.reopen();
    else if (change === "more") this.#connect();
    if (this.single && isSame(frame, this.last)) return; // which is there before the server has another
    this.last = frame;
    this.newest = { frame, jpeg };
    if (!this.drawing) this.#draw();
  }

  /** Decode the newest picture until there is no newer one: where decoding is slow, pictures are skipped. */
  async #draw() {
    this.drawing = true;
    while (this.newest) {
      const { frame, jpeg } = this.newest;
      this.newest = null;
      const picture = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })).catch(() => null);
      if (picture && this.running && frame.blurred === this.blur) this.on.picture(picture, frame);
      picture?.close();
    }
    this.drawing = false;
  }
}

const isSame = (frame, other) => frame.index === other?.index && frame.video === other?.video && frame.blurred === other?.blurred;
