/* Times: of now, and in a video, as people read and write them; analysis/recording/times.py says how, and reads the same. */

/** Milliseconds since 1970 that only rise by what passes, however the system's clock jumps. */
export const steadyNow = () => performance.timeOrigin + performance.now();

const SHORT = 10; // seconds
const TIME = /^[0-9]{1,6}(?::[0-5]?[0-9]){0,2}(?:[.,][0-9]+)?$/;

/** A time in seconds; NaN if it is none. */
export function parseTime(text) {
  if (!TIME.test(text.trim())) return NaN;
  return text.replace(",", ".").split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** How long something lasts: "5.0 s", "1:05 min", "1:00:05 h". */
export function lengthOf(seconds) {
  const tenths = Math.round(10 * seconds) / 10;
  if (tenths < 60) return `${tenths.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${clock(whole)} ${whole < 3600 ? "min" : "h"}`;
}

/** How long something will take, roughly. */
export function estimateOf(seconds) {
  if (seconds < 1) return "less than a second";
  const [number, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return `about ${Math.round(number)} ${unit}${Math.round(number) === 1 ? "" : "s"}`;
}

/** A moment, in seconds since 1970: "29 November 2026 at 14:05", or the time alone. */
export const dateAndTime = (seconds) => new Date(1000 * seconds).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
export const timeOfDay = (seconds) => new Date(1000 * seconds).toLocaleTimeString("en-GB", { timeStyle: "short" });

/** From when to when a span is, in seconds; NaN for what is no time. */
export function parseSpan(text) {
  const [begin, ...end] = text.split(/[-–]/);
  return [parseTime(begin), parseTime(end.join("-"))];
}

/** "1:05" or "1:00:05", as players show it: seconds that have begun; "1:05.3" with a digit after them. */
export function clock(seconds, digits = 0) {
  const unit = 10 ** digits;
  const whole = Math.floor(seconds * unit + 1e-6) / unit;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = (whole % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** A time on an axis that is `span` seconds long: with tenths where it is short. */
export const axisTime = (seconds, span) => clock(seconds, span < SHORT ? 1 : 0);
