/* Where a face is, between whole pixels; as vision/geometry.py has it. */

const radians = (degrees) => (degrees * Math.PI) / 180;

/** The angle from -180 to 180 that is the same direction. */
export const direction = (degrees) => ((((degrees + 180) % 360) + 360) % 360) - 180;

export class Square {
  /** Left, top and side in pixels before it is turned; degrees clockwise by which it is turned about its middle. */
  constructor(x, y, size, roll = 0) {
    Object.assign(this, { x, y, size, roll });
  }

  /** One that lost its methods on its way from another thread. */
  static from({ x, y, size, roll }) {
    return new Square(x, y, size, roll);
  }

  static around(x, y, size, roll = 0) {
    return new Square(x - size / 2, y - size / 2, size, roll);
  }

  get middle() {
    return [this.x + this.size / 2, this.y + this.size / 2];
  }

  /** The same face in a picture `factor` times as large. */
  scaled(factor) {
    return new Square(this.x * factor, this.y * factor, this.size * factor, this.roll);
  }

  turned(roll) {
    return new Square(this.x, this.y, this.size, roll);
  }

  /** In the whole picture, a face that was found in the turned part of it inside `frame`. */
  within(frame) {
    const [x, y] = this.middle.map((value) => value - frame.size / 2);
    const [along, across] = [Math.cos(radians(frame.roll)), Math.sin(radians(frame.roll))];
    const [left, top] = frame.middle;
    return Square.around(left + x * along - y * across, top + x * across + y * along, this.size, this.roll + frame.roll);
  }

  /** The square that lies `share` (0-1) of the way to another. */
  towards(other, share) {
    const between = (name) => this[name] + share * (other[name] - this[name]);
    return new Square(between("x"), between("y"), between("size"), this.roll + share * direction(other.roll - this.roll));
  }

  /** How far the middles are apart, in widths of the larger one. */
  distance(other) {
    const [[x, y], [otherX, otherY]] = [this.middle, other.middle];
    return Math.hypot(x - otherX, y - otherY) / Math.max(this.size, other.size);
  }

  /** The share (0-1) of the smaller one that lies inside the other, were both upright. */
  overlap(other) {
    const width = Math.min(this.x + this.size, other.x + other.size) - Math.max(this.x, other.x);
    const height = Math.min(this.y + this.size, other.y + other.size) - Math.max(this.y, other.y);
    return (Math.max(0, width) * Math.max(0, height)) / Math.min(this.size, other.size) ** 2;
  }

  /** Its corners, turned: those at the forehead from left to right, then at the chin from right to left. */
  corners() {
    const [x, y] = this.middle;
    const [right, down] = [(this.size / 2) * Math.cos(radians(this.roll)), (this.size / 2) * Math.sin(radians(this.roll))];
    return [
      [x - right + down, y - down - right],
      [x + right + down, y + down - right],
      [x + right - down, y + down + right],
      [x - right - down, y - down + right],
    ];
  }

  /** [x, y, width, height] of what is inside the picture, were it upright, in whole pixels; null if nothing is. */
  box({ width, height }) {
    const [left, top, size] = [this.x, this.y, this.size].map(roundEven);
    const [right, bottom] = [Math.min(left + size, width), Math.min(top + size, height)];
    const [x, y] = [Math.max(0, left), Math.max(0, top)];
    return right > x && bottom > y ? [x, y, right - x, bottom - y] : null;
  }
}

/** Round as Python and OpenCV do: halves to the even neighbour. */
export function roundEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
