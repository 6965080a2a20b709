/* One grey picture at several sizes, each half of the one before; as vision/pyramid.py has it. */

import { averaged } from "./pixels.js";

export class Pyramid {
  constructor(grey) {
    this.levels = [grey];
  }

  /** The picture at 1 / 2**level of its size. */
  at(level) {
    while (this.levels.length <= level) this.levels.push(averaged(this.levels.at(-1), 2));
    return this.levels[level];
  }

  /** The smallest level on which something `size` pixels wide is still `pixels` wide; 0 is the picture. */
  levelFor(size, pixels) {
    const [{ width, height }] = this.levels;
    let level = 0;
    while (size >= 2 * pixels && Math.min(width, height) >> level >= 2) {
      size /= 2;
      level += 1;
    }
    return level;
  }
}
