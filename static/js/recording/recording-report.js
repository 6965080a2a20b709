/* A recording as a page to read: what each face showed over time, how often, and when most clearly. */

import { axisTime, clock, dateAndTime, lengthOf } from "../page/clock.js";
import { EXPRESSIONS, colourOf, nameOf, percent } from "../faces/expressions.js";
import { settled } from "./recorder.js";

const [WIDTH, HEIGHT] = [800, 120]; // of a chart
const STEPS = 200; // of a chart at most; each is the mean of the frames in it
const HOLE = 2; // seconds without a frame that are no slow network
const TICKS = 4; // parts of the time axis
const CLEAR = 0.5; // what is less probable is no moment worth going back to
const STYLE = `
  :root { color-scheme: light dark; print-color-adjust: exact; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
  svg { display: block; width: 100%; background: #8882; border-radius: 0.5rem; }
  ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none; }
  li::before, .clearest td:first-child::before { content: ""; display: inline-block; width: 0.75em; height: 0.75em; margin-right: 0.4em; border-radius: 0.2em; background: var(--colour); }
  table { border-collapse: collapse; }
  th, td { padding: 0.125rem 1.5rem 0.125rem 0; text-align: left; font-variant-numeric: tabular-nums; }
  .axis { display: flex; justify-content: space-between; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
  section { margin-top: 2rem; }
`;

/** An HTML file about frames as recorder.js has them, at least one. */
export function recordingReport(kept) {
  const frames = settled(kept).map((frame) => ({ ...frame, faces: frame.faces.map((face) => ({ ...face, id: numberOf(frame, face) })) }));
  const start = frames[0].time;
  const seconds = Math.max(frames.at(-1).time - start, 0.001);
  const steps = stepsOf(frames, start, seconds);
  const markers = markersIn(frames, start);
  const faces = [...seenFaces(frames, start)].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  const holes = holesIn(frames, start);
  const title = `Expressions, ${dateAndTime(frames[0].clock)}`;
  const legend = EXPRESSIONS.map((name) => `<li style="--colour: ${colourOf(name)}">${name}</li>`).join("");
  const sections = faces.map(([id, moments]) => section(moments, chart(id, steps, seconds, lines(markers, seconds)), markers, id)).join("");
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${lengthOf(seconds)}, ${frames.length} frames, ${faces.length} ${faces.length === 1 ? "face" : "faces"}. Each chart shows how probable the expressions were over time.</p>
${holes.length ? `<p>No picture came from ${holes.map(({ from, to }) => `${clock(from, 1)} to ${clock(to, 1)}`).join(", from ")}.</p>` : ""}
<ul>${legend}</ul>
${markers.length ? `<p>Markers, as dashed lines: ${markers.map(({ label, at }) => `${label ? escaped(label) : "none"} from ${clock(at, 1)}`).join(", ")}.</p>` : ""}
${sections}
<section><p>A neural network said what faces looked like, which is not what people felt. There are no pictures in this file.</p></section>
</html>
`;
  return new Blob([page], { type: "text/html" });
}

/** What a face is called: "2", or "left 2" of several cameras, each of which numbers its own. */
const numberOf = ({ camera }, { id }) => (camera ? `${camera} ${id}` : String(id));

/** Where markers begin, or, with an empty label, end: { label, at, until }, in seconds from the start. */
function markersIn(frames, start) {
  const changes = frames.filter(({ marker = "" }, i) => marker !== (frames[i - 1]?.marker ?? ""));
  const until = (i) => (changes[i + 1] ? changes[i + 1].time - start : Infinity);
  return changes.map(({ marker, time }, i) => ({ label: marker, at: time - start, until: until(i) }));
}

/** Where no frame came for long: { from, to }, in seconds from the start. */
function holesIn(frames, start) {
  const gaps = frames.slice(1).map(({ time }, i) => ({ from: frames[i].time - start, to: time - start }));
  return gaps.filter(({ from, to }) => to - from > HOLE);
}

/** Each face's moments { at, face } by its number; `at` in seconds from the start. */
function seenFaces(frames, start) {
  const seen = new Map();
  for (const { time, faces } of frames) {
    for (const face of faces) {
      if (!seen.has(face.id)) seen.set(face.id, []);
      seen.get(face.id).push({ at: time - start, face });
    }
  }
  return seen;
}

/** The recording in parts of as many frames each, at most: { from, to, frames }, from 0 to 1 of its time; none has a hole. */
function stepsOf(frames, start, seconds) {
  const size = Math.ceil(frames.length / STEPS);
  const place = ({ time }) => (time - start) / seconds;
  const parts = [];
  frames.forEach((frame, i) => {
    if (i === 0 || frame.time - frames[i - 1].time > HOLE) parts.push([[frame]]);
    else if (parts.at(-1).at(-1).length < size) parts.at(-1).at(-1).push(frame);
    else parts.at(-1).push([frame]);
  });
  const bounds = (steps) => (step, i) => ({ from: place(step[0]), to: place(steps[i + 1]?.[0] ?? step.at(-1)), frames: step });
  return parts.flatMap((steps) => steps.map(bounds(steps)));
}

function section(moments, drawn, markers, id) {
  const clearest = EXPRESSIONS.map((name) => strongest(name, moments)).filter(({ share }) => share >= CLEAR);
  const rows = clearest.map(({ name, at, share }) => `<tr><td style="--colour: ${colourOf(name)}">${name}<td>${clock(at, 1)}<td>${percent(share)}`);
  const table = rows.length ? `<table class="clearest"><tr><th>Most clearly<th>At<th>Probability${rows.join("")}</table>` : "";
  return `<section><h2>Face ${id}</h2><p>${shares(moments)}</p>${drawn}${markerTable(moments, markers)}${table}</section>\n`;
}

/** What the face showed during each marker. */
function markerTable(moments, markers) {
  const rows = markers.filter(({ label }) => label).map(({ label, at, until }) => {
    const during = moments.filter((moment) => moment.at >= at && moment.at < until);
    return `<tr><td>${escaped(label)}<td>${clock(at, 1)}<td>${during.length}<td>${during.length ? shares(during) : "not seen"}`;
  });
  return rows.length ? `<table class="markers"><tr><th>Marker<th>From<th>Frames<th>Shown${rows.join("")}</table>` : "";
}

/** "Happy 62%, Neutral 30%": in how many of its frames a face was said to show what. */
function shares(moments) {
  const named = moments.map(({ face }) => nameOf(face));
  const shown = [...EXPRESSIONS, "Uncertain"].map((name) => [name, named.filter((other) => other === name).length / named.length]);
  return shown.filter(([, share]) => share > 0).sort(([, a], [, b]) => b - a).map(([name, share]) => `${name} ${percent(share)}`).join(", ");
}

function strongest(name, moments) {
  const best = moments.reduce((a, b) => (b.face.probabilities[name] > a.face.probabilities[name] ? b : a));
  return { name, at: best.at, share: best.face.probabilities[name] };
}

/** Probabilities on top of one another over time, and what goes over them; nothing where the face was not seen. */
function chart(id, steps, seconds, over) {
  const rows = steps.map(({ frames }) => frames.flatMap(({ faces }) => faces.filter((face) => face.id === id)));
  const areas = EXPRESSIONS.map((name, k) => {
    const below = EXPRESSIONS.slice(k + 1);
    const bars = steps.map((step, i) => (rows[i].length ? bar(step, mean(rows[i], below), mean(rows[i], [name])) : ""));
    return `<path fill="${colourOf(name)}" d="${bars.join("")}"/>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Probabilities over time">${areas.join("")}${over}</svg>${axis(seconds)}`;
}

function axis(seconds) {
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => `<span>${axisTime((i * seconds) / TICKS, seconds)}</span>`);
  return `<div class="axis" aria-hidden="true">${ticks.join("")}</div>`;
}

function lines(markers, seconds) {
  const each = markers.map(({ at }) => `M${((at / seconds) * WIDTH).toFixed(1)} 0v${HEIGHT}`);
  return `<path stroke="currentColor" stroke-dasharray="4 3" vector-effect="non-scaling-stroke" d="${each.join("")}"/>`;
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** What several expressions have together, as the mean over a face's moments. */
const mean = (faces, names) => faces.reduce((sum, { probabilities }) => sum + names.reduce((total, name) => total + probabilities[name], 0), 0) / faces.length;

function bar({ from, to }, below, share) {
  const [x, width] = [from * WIDTH, (to - from) * WIDTH].map((value) => value.toFixed(1));
  const [top, height] = [(1 - below - share) * HEIGHT, share * HEIGHT].map((value) => value.toFixed(1));
  return Number(height) ? `M${x} ${top}h${width}v${height}h-${width}z` : "";
}
