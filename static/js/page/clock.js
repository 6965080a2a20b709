/* Times: of now, and in a video, as people read and write them; analysis/recording/times.py says how, and reads the same. */

/** Milliseconds since 1970 that only rise by what passes, however the system's clock jumps. */
export const steadyNow = () => performance.timeOrigin + performance.now();

const TIME = /^[0-9]{1,6}(?::[0-5]?[0-9]){0,2}(?:[.,][0-9]+)?$/;

/** A time in seconds; NaN if it is none. */
export function parseTime(text) {
  if (!TIME.test(text.trim())) return NaN;
  return text.replace(",", ".").split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** "5.5 seconds", "1:05 minutes", "1:00:05 hours": how long something lasts. */
export function lengthInWords(seconds) {
  const tenths = Math.round(10 * seconds) / 10;
  if (tenths < 60) return `${tenths} ${tenths === 1 ? "second" : "seconds"}`;
  const whole = Math.round(seconds);
  return `${clock(whole)} ${whole < 3600 ? "minutes" : "hours"}`;
}

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
