/* One picture on its way: waiting, being analysed, answered or refused. */

import { localBitmap } from "./bitmaps.js";
import { LOST } from "../page/connection.js";
import { drawMarks, hideFaces } from "../faces/drawing.js";
import { EXPRESSIONS, nameOf, percent, summaryOf } from "../faces/expressions.js";
import { FACE_COLUMNS, csv, download, faceRow, json, png } from "../page/files.js";
import { Interruption } from "./server-pictures.js";

const SHOWN_WIDTH = 1600;
const FACE_SIDE = 72; // pixels of a face in the table
const FACE_MARGIN = 0.15;
const ANSWER_MS = 60_000; // 20 MB may be a while on their way

export class PictureCard {
  /** `options`: { labels, blur }, shared by all cards; `kept`: { key, answer } of a picture from before. */
  constructor(template, file, options, kept = {}) {
    Object.assign(this, { file, options, answer: kept.answer, key: kept.key });
    this.name = file.name || "Pasted picture";
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`.picture-${name}`);
    this.part("name").textContent = this.name;
    this.part("remove").setAttribute("aria-label", `Remove ${this.name}`);
    this.part("remove").addEventListener("click", () => this.onRemove());
    this.part("toggle").setAttribute("aria-label", `Details of ${this.name}`);
    this.part("toggle").addEventListener("click", () => (this.open = !this.open));
    this.part("retry").addEventListener("click", () => this.onRetry());
    this.part("view").setAttribute("aria-label", `Enlarge ${this.name}`);
    this.part("view").addEventListener("click", () => this.onOpen());
    this.part("png").addEventListener("click", async () => download(await this.picture(), `${this.stem} annotated.png`));
    this.part("json").addEventListener("click", () => download(json(this.record()), `${this.stem}.json`));
    this.part("csv").addEventListener("click", () => download(csv([FACE_COLUMNS, ...this.rows()]), `${this.stem}.csv`));
  }

  /** Whether the table is shown where there are many pictures. */
  get open() {
    return "open" in this.element.dataset;
  }

  set open(open) {
    this.element.toggleAttribute("data-open", open);
    this.part("toggle").setAttribute("aria-expanded", String(open));
  }

  /** What its faces show, as `nameOf` has it; none before the answer. */
  get shown() {
    return (this.answer?.faces ?? []).map(nameOf);
  }

  /** The confidence of its least certain face; 1 without faces. */
  get certainty() {
    return Math.min(1, ...(this.answer?.faces ?? []).map(({ confidence }) => confidence));
  }

  get done() {
    return this.element.dataset.state === "done";
  }

  get stem() {
    return this.name.replace(/\.[^.]+$/, "");
  }

  wait() {
    this.interrupted = false;
    this.#show("waiting", "Waiting");
  }

  /** Show the answer that is there from before. */
  async restore(analyser) {
    this.analyser = analyser;
    await this.#finish();
  }

  /** `analyser`: ServerPictures or DevicePictures. */
  async analyse(analyser) {
    this.analyser = analyser;
    this.#show("busy", "Looking for faces");
    const sending = new AbortController();
    this.abort = () => sending.abort();
    const late = setTimeout(this.abort, ANSWER_MS);
    try {
      await this.#preview();
      this.answer = await analyser.analyse(this.file, sending.signal);
    } catch (error) {
      this.part("retry").hidden = !(error instanceof Interruption);
      this.interrupted = error.message === LOST;
      this.#show("failed", error.message);
      return;
    } finally {
      clearTimeout(late);
    }
    await this.#finish();
  }

  /** Draw the picture as it is shown; again when the options have changed. */
  draw() {
    if (this.preview) this.#paint(this.part("canvas"), this.preview);
  }

  /** Draw the picture in its full size, whatever size it is shown in. */
  async paint(canvas) {
    const full = await this.#answered();
    if (!full) return;
    this.#paint(canvas, full);
    full.close();
  }

  /** The annotated picture in its full size, as a PNG file. */
  async picture() {
    const canvas = document.createElement("canvas");
    await this.paint(canvas);
    return png(canvas);
  }

  record() {
    const { width, height } = this.answer;
    return { name: this.file.name, width, height, faces: this.#faces() };
  }

  /** A row of FACE_COLUMNS for each face. */
  rows() {
    return this.#faces().map(faceRow);
  }

  #faces() {
    return this.answer.faces.map((face, i) => ({ id: i + 1, ...face }));
  }

  #show(state, words) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "waiting" || state === "busy"));
    this.part("summary").textContent = words;
  }

  async #finish() {
    const { faces, turned } = this.answer;
    if (!this.preview || turned) {
      this.preview?.close();
      this.preview = await shrunk(await this.#answered());
    }
    this.#show("done", summary(this.answer));
    this.draw();
    this.part("rows").replaceChildren(...this.#faces().map((face) => this.#row(face)));
    for (const name of ["table", "json", "csv"]) this.part(name).hidden = faces.length === 0;
  }

  /** Show the picture before the answer is there, if the browser can read it. */
  async #preview() {
    this.preview ??= await shrunk(await localBitmap(this.file));
    this.draw();
  }

  /** The picture in its full size, as it was analysed; null where it cannot be had. */
  #answered() {
    return this.analyser.bitmap(this.file, this.answer);
  }

  /** With blur, a picture in which nobody has looked for faces is not shown. */
  #paint(canvas, picture) {
    const { labels, blur } = this.options;
    canvas.width = picture.width;
    canvas.height = picture.height;
    if (blur && !this.answer) return;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    if (!this.answer) return;
    const { width } = this.answer;
    const faces = this.#faces();
    if (blur) hideFaces(canvas, faces, { width });
    if (canvas === this.part("canvas")) this.#cutFaces(canvas, faces, canvas.width / width);
    drawMarks(canvas, faces, { width, labels, numbers: faces.length > 1 });
  }

  /** Cut the faces out of the picture, for their rows in the table. */
  #cutFaces(canvas, faces, scale) {
    this.cuts = faces.map(({ box }, i) => {
      const [x, y, width, height] = box.map((value) => value * scale);
      const side = Math.max(width, height) * (1 + 2 * FACE_MARGIN);
      const cut = this.cuts?.[i] ?? document.createElement("canvas");
      Object.assign(cut, { width: FACE_SIDE, height: FACE_SIDE, className: "face-cut" });
      const corner = [x + width / 2 - side / 2, y + height / 2 - side / 2];
      cut.getContext("2d").drawImage(canvas, ...corner, side, side, 0, 0, FACE_SIDE, FACE_SIDE);
      return cut;
    });
  }

  #row(face) {
    const tr = document.createElement("tr");
    tr.dataset.expression = nameOf(face);
    const th = tr.appendChild(document.createElement("th"));
    th.scope = "row";
    th.append(String(face.id));
    if (this.cuts) th.append(this.cuts[face.id - 1]);
    const named = tr.insertCell();
    named.className = "named";
    named.dataset.expression = nameOf(face);
    named.textContent = nameOf(face);
    if (!face.uncertain) named.dataset.share = percent(face.confidence);
    for (const name of EXPRESSIONS) {
      const cell = tr.insertCell();
      cell.dataset.expression = name;
      cell.style.setProperty("--share", percent(face.probabilities[name]));
      cell.textContent = percent(face.probabilities[name]);
    }
    return tr;
  }
}

/** A bitmap that is no wider than it is shown. */
async function shrunk(full) {
  if (!full || full.width <= SHOWN_WIDTH) return full;
  const resizeHeight = Math.round((full.height * SHOWN_WIDTH) / full.width);
  const size = { resizeWidth: SHOWN_WIDTH, resizeHeight, resizeQuality: "medium" };
  const small = await createImageBitmap(full, size);
  full.close();
  return small;
}

/** What was found, and what was done to find it. */
function summary({ faces, turned, note }) {
  const found = faces.length ? summaryOf(faces) : "No face found. Faces must look towards the camera and not be too small.";
  const more = [turned ? "The picture was turned to find the faces." : "", note].filter(Boolean);
  return more.length ? [found.replace(/\.?$/, "."), ...more].join(" ") : found;
}
