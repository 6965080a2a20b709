/* One picture on its way through the API: waiting, being analysed, answered or refused. */

import { answeredBitmap, localBitmap } from "./bitmaps.js";
import { drawFaces } from "./drawing.js";
import { EXPRESSIONS, nameOf, percent } from "./expressions.js";
import { FACE_COLUMNS, csv, download, faceRow, json, png } from "./files.js";

const SHOWN_WIDTH = 1600;
const ANSWER_MS = 60_000; // 20 MB may be a while on their way
const PASSING = new Set([200, 401, 429, 500, 502, 503, 504]); // with these, the same picture may be taken later

export class PictureCard {
  /** `options`: { labels, blur }, shared by all cards. */
  constructor(template, file, options) {
    Object.assign(this, { file, options });
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (name) => this.element.querySelector(`.picture-${name}`);
    this.part("name").textContent = file.name || "Pasted picture";
    this.part("remove").setAttribute("aria-label", `Remove ${file.name || "the pasted picture"}`);
    this.part("remove").addEventListener("click", () => this.onRemove());
    this.part("retry").addEventListener("click", () => this.onRetry());
    this.part("png").addEventListener("click", () => this.#savePicture());
    this.part("json").addEventListener("click", () => download(json(this.#record()), `${this.#stem()}.json`));
    this.part("csv").addEventListener("click", () => {
      download(csv([FACE_COLUMNS, ...this.#record().faces.map(faceRow)]), `${this.#stem()}.csv`);
    });
  }

  wait() {
    this.#show("waiting", "Waiting for its turn");
  }

  async analyse({ predict, annotate }) {
    this.plain = `${annotate}?marks=false`;
    this.#show("busy", "Looking for faces");
    const sending = new AbortController();
    this.abort = () => sending.abort();
    const late = setTimeout(this.abort, ANSWER_MS);
    try {
      await this.#preview();
      this.answer = await ask(predict, this.file, sending.signal);
    } catch (error) {
      this.part("retry").hidden = !(error instanceof Interruption);
      this.#show("failed", error.message);
      return;
    } finally {
      clearTimeout(late);
    }
    if (!this.preview || this.answer.turned) {
      this.preview?.close();
      this.preview = await shrunk(await answeredBitmap(this.file, this.answer, this.plain));
    }
    this.#show("done", summary(this.answer));
    this.draw();
    this.#fillTable();
  }

  /** Draw the picture as it is shown; again when the options have changed. */
  draw() {
    if (this.preview) this.#paint(this.part("canvas"), this.preview);
  }

  #show(state, words) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "waiting" || state === "busy"));
    this.part("summary").textContent = words;
  }

  /** Show the picture before the answer is there, if the browser can read it. */
  async #preview() {
    this.preview ??= await shrunk(await localBitmap(this.file));
    this.draw();
  }

  #paint(canvas, picture) {
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    if (!this.answer) return;
    const { faces, width } = this.answer;
    drawFaces(canvas, faces, { ...this.options, width, numbers: faces.length > 1 });
  }

  #fillTable() {
    const { faces } = this.answer;
    this.part("rows").replaceChildren(...faces.map((face, i) => row(face, i + 1)));
    this.part("table").hidden = faces.length === 0;
  }

  #record() {
    const { width, height, faces } = this.answer;
    return { name: this.file.name, width, height, faces: faces.map((face, i) => ({ id: i + 1, ...face })) };
  }

  /** The annotated picture in its full size, whatever size it is shown in. */
  async #savePicture() {
    const full = await answeredBitmap(this.file, this.answer, this.plain);
    if (!full) return;
    const canvas = document.createElement("canvas");
    this.#paint(canvas, full);
    full.close();
    download(await png(canvas), `${this.#stem()} annotated.png`);
  }

  #stem() {
    return (this.file.name || "picture").replace(/\.[^.]+$/, "");
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

/** What may go well the next time. */
class Interruption extends Error {}

/** Return the API's answer, or throw an Error with its words. */
async function ask(address, file, signal) {
  const form = new FormData();
  form.append("image", file);
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body: form, signal });
  } catch {
    throw new Interruption("The app does not answer. Is it still running?");
  }
  const content = await answer.json().catch(() => null);
  if (answer.ok && content) return content;
  const Kind = PASSING.has(answer.status) ? Interruption : Error;
  throw new Kind(content?.error?.message ?? `The app answered with error ${answer.status}.`);
}

function summary({ faces, turned, note }) {
  const more = [turned ? "The picture was turned to find the faces." : "", note].filter(Boolean);
  return more.length ? [describe(faces).replace(/\.?$/, "."), ...more].join(" ") : describe(faces);
}

function describe(faces) {
  if (faces.length === 0) return "No face found. Faces have to look towards the camera and be large enough.";
  if (faces.length === 1) return `1 face: ${nameOf(faces[0])}`;
  const counts = new Map();
  for (const face of faces) counts.set(nameOf(face), (counts.get(nameOf(face)) ?? 0) + 1);
  const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${count} ${name}`);
  return `${faces.length} faces: ${parts.join(", ")}`;
}

function row(face, number) {
  const tr = document.createElement("tr");
  const th = tr.appendChild(document.createElement("th"));
  th.scope = "row";
  th.textContent = number;
  const named = tr.insertCell();
  named.className = "named";
  named.dataset.expression = nameOf(face);
  named.textContent = nameOf(face);
  for (const name of EXPRESSIONS) {
    const cell = tr.insertCell();
    cell.dataset.expression = name;
    cell.style.setProperty("--share", percent(face.probabilities[name]));
    cell.textContent = percent(face.probabilities[name]);
  }
  return tr;
}
