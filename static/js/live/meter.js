/* What a visitor gets: how many pictures a second are drawn here, and how old the one on the screen is. */

const MEASURED_MS = 2000;
const STANDING_MS = 1000; // after this long without a new picture, its growing age counts

export class Meter {
  shown = [];

  /** A picture that is `age` milliseconds old (null where that is not known) is drawn now. */
  add(age, now = performance.now()) {
    this.shown = [...this.shown.filter(({ at }) => now - at < MEASURED_MS), { at: now, age }];
  }

  clear() {
    this.shown = [];
  }

  /** { fps, age }; each null where it is not known. */
  read(now = performance.now()) {
    const { shown } = this;
    if (!shown.length) return { fps: null, age: null };
    const last = shown.at(-1);
    const recent = shown.filter(({ at }) => now - at < MEASURED_MS);
    const ages = recent.map(({ age }) => age).filter((age) => age !== null).sort((a, b) => a - b);
    const standing = now - last.at > STANDING_MS || !ages.length;
    return {
      fps: recent.length > 1 ? (1000 * (recent.length - 1)) / (now - recent[0].at) : null,
      age: standing ? last.age && last.age + now - last.at : ages[Math.floor(ages.length / 2)],
    };
  }
}
