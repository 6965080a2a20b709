/* The video's place in the page: a picture, and over it marks as sharp as the screen. */

import { drawMarks } from "./drawing.js";

const SMALLEST_LETTERS = 13; // CSS pixels of a label's letters, at their largest
const LARGEST_LETTERS = 22;

export class Stage {
  /** `canvas` has the picture, `marks` lies over it. */
  constructor(canvas, marks) {
    Object.assign(this, { canvas, marks });
  }

  /** Show a picture; mirrored, as people expect of their own. */
  show(picture, mirrored = false) {
    paint(this.canvas, picture, mirrored);
    this.canvas.dataset.frames = Number(this.canvas.dataset.frames ?? 0) + 1;
  }

  /** Mark the faces of a frame that is `width` x `height`; other options as for `drawMarks`. */
  mark(faces, { width, height, ...options }) {
    const { marks } = this;
    const { clientWidth, clientHeight } = marks;
    const scale = devicePixelRatio * Math.min(clientWidth / width, clientHeight / height);
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (marks.width !== w || marks.height !== h) Object.assign(marks, { width: w, height: h });
    else marks.getContext("2d").clearRect(0, 0, w, h);
    const letters = Math.max(SMALLEST_LETTERS, Math.min(Math.min(clientWidth, clientHeight) / 30, LARGEST_LETTERS));
    drawMarks(marks, faces, { ...options, width, letters: devicePixelRatio * letters });
    this.marked = { faces, options: { ...options, width } };
  }

  clear() {
    for (const canvas of [this.canvas, this.marks]) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    this.marked = null;
  }

  /** What is shown, as a canvas. */
  snapshot() {
    const canvas = document.createElement("canvas");
    paint(canvas, this.canvas);
    if (this.marked) drawMarks(canvas, this.marked.faces, this.marked.options);
    return canvas;
  }
}

function paint(canvas, picture, mirrored = false) {
  const { width, height } = picture;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (mirrored) context.setTransform(-1, 0, 0, 1, width, 0);
  context.drawImage(picture, 0, 0, width, height);
  context.resetTransform();
}
