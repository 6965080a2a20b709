/* One video in the page: its picture with marks, and a card for each face in it. */

import { Steady } from "../faces/steady.js";

export class Scene {
  #steady = new Steady();
  said = []; // of the faces in the newest frame

  /** `stage`: a Stage; `faces`: a FaceList. */
  constructor(stage, faces) {
    Object.assign(this, { stage, faces });
  }

  /** Show one frame's faces: marks and cards say the same. `picture`: from which their pictures are cut. */
  show({ faces, time, width, height, mirrored }, picture, labels) {
    this.said = this.#steady.faces(faces);
    this.faces.update(faces, this.said, time, { picture, scale: picture.width / width, mirrored });
    this.stage.mark(this.said, { width, height, mirrored, labels, numbers: this.faces.several });
  }

  clear() {
    this.said = [];
    this.faces.clear();
    this.stage.clear();
  }
}
