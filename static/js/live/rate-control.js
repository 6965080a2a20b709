/* How much the network carries, judged by how long pictures are under way: where they queue on their way, less is
   asked for, and while none does, step by step more, at longer intervals after each attempt that failed. */

const RATES = [150, 250, 400, 600, 850, 1200, 1800, 2700, 4000, 6000, 10_000, null]; // kbit/s; null: all there is
const CAUTIOUS = 400; // to begin with where answers take long
const SLOW_ANSWER_MS = 150;
const TARGET_MS = 550; // pictures that are under way for longer come too late
const FRESH_MS = 400; // only where pictures come this soon is there room for more
const QUEUED_MS = 200; // those that take this much longer than the quickest have queued on their way
const SETTLE_MS = 1000;
const MEASURED_MS = 2000;
const YOUNGEST_OF_MS = 15_000;
const FIRST_PATIENCE_MS = 1500;
const MAX_PATIENCE_MS = 60_000;
const LATELY_MS = 500;
const SATURATED = 0.8; // a network that carries less than this share of what was asked for carries all that it can
const USABLE = 0.7; // the share of that which is asked for next: the rest is room for what has queued

export class RateControl {
  /** `answerMs`: how long the app took to answer a small request, null where that is not known. */
  constructor(answerMs, now = performance.now()) {
    this.step = RATES.indexOf(answerMs > SLOW_ANSWER_MS ? CAUTIOUS : null);
    this.patience = FIRST_PATIENCE_MS;
    this.begin(now);
  }

  /** The kbit/s to ask for; null where there is no limit. */
  get rate() {
    return RATES[this.step];
  }

  /** A stream of the present rate begins. */
  begin(now = performance.now()) {
    this.changedAt = this.calmSince = now;
    this.arrivals = [];
    this.ages = [];
  }

  /** Take how long a picture was under way, in milliseconds, and its size in bytes; return "less", "more", or "" for as it is. */
  arrived(age, bytes, now = performance.now()) {
    this.arrivals = [...this.arrivals.filter(({ at }) => now - at < MEASURED_MS), { at: now, bytes }];
    this.ages = [...this.ages.filter(({ at }) => now - at < YOUNGEST_OF_MS), { at: now, age }];
    const queued = this.#queued(now);
    if (queued > QUEUED_MS / 2 || age > FRESH_MS) this.calmSince = now;
    if (queued > QUEUED_MS || (age > TARGET_MS && queued > QUEUED_MS / 2)) return this.#less(now);
    if (this.step === RATES.length - 1 || now - this.calmSince < this.patience) return "";
    this.step += 1;
    this.patience = Math.max(FIRST_PATIENCE_MS, this.patience / 2);
    return "more";
  }

  /** For how long pictures have queued lately; the quickest counts, since a single one may be late for other reasons. */
  #queued(now) {
    const lately = this.ages.filter(({ at }, i) => now - at < LATELY_MS || i >= this.ages.length - 2);
    return youngest(lately) - youngest(this.ages);
  }

  #less(now) {
    if (now - this.changedAt < SETTLE_MS || this.step === 0 || this.arrivals.length < 3) return "";
    const carried = this.#carried(now);
    const saturated = this.rate === null || carried < SATURATED * this.rate;
    const fitting = saturated ? RATES.findLastIndex((rate) => rate !== null && rate <= USABLE * carried) : this.step - 1;
    this.step = Math.max(0, Math.min(fitting, this.step - 1));
    this.patience = Math.min(4 * this.patience, MAX_PATIENCE_MS);
    return "less";
  }

  /** What came lately, in kbit/s. */
  #carried(now) {
    const bytes = this.arrivals.slice(1).reduce((sum, arrival) => sum + arrival.bytes, 0);
    return (8 * bytes) / Math.max(1, now - this.arrivals[0].at);
  }
}

const youngest = (ages) => Math.min(...ages.map(({ age }) => age));
