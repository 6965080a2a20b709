/* Whether the camera sees anything: behind a closed shutter its picture is black, as in the first moments of some. */

const EVERY_MS = 250;
const SIDE = 16; // pixels to which a picture is reduced, so that noise does not count
const BLACK = 20; // of 255: the brightest of these pixels, of a picture that shows nothing
const PATIENCE_MS = 3000; // for so long some cameras take to begin

export class Light {
  #small = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE }).getContext("2d", { alpha: false, willReadFrequently: true });
  #lookedAt = -Infinity;
  #darkSince = null;

  /** Take in a picture at `now`, in milliseconds; return whether all have been black for a while. */
  isDark(picture, now) {
    if (now - this.#lookedAt >= EVERY_MS) {
      this.#lookedAt = now;
      this.#darkSince = this.#isBlack(picture) ? (this.#darkSince ?? now) : null;
    }
    return this.#darkSince !== null && now - this.#darkSince >= PATIENCE_MS;
  }

  #isBlack(picture) {
    this.#small.drawImage(picture, 0, 0, SIDE, SIDE);
    const { data } = this.#small.getImageData(0, 0, SIDE, SIDE);
    return data.every((value, i) => i % 4 === 3 || value <= BLACK);
  }
}
