/* A recording as a page to read: what each face showed over time, how often, and when most clearly. */

import { clock } from "./clock.js";
import { EXPRESSIONS, colourOf, nameOf, percent } from "./expressions.js";

const [WIDTH, HEIGHT] = [800, 120]; // of a chart
const STEPS = 200; // of a chart, each the mean of the frames in it
const CLEAR = 0.5; // what is less probable is no moment worth going back to
const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
  svg { display: block; width: 100%; background: #8882; border-radius: 0.5rem; }
  ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none; }
  li::before, td:first-child::before { content: ""; display: inline-block; width: 0.75em; height: 0.75em; margin-right: 0.4em; border-radius: 0.2em; background: var(--colour); }
  table { border-collapse: collapse; }
  th, td { padding: 0.125rem 1.5rem 0.125rem 0; text-align: left; font-variant-numeric: tabular-nums; }
  section { margin-top: 2rem; }
`;

/** An HTML file about frames { time, faces }, at least one, with times in seconds and faces as the API has them. */
export function recordingReport(frames) {
  const start = frames[0].time;
  const seconds = Math.max(frames.at(-1).time - start, 0.001);
  const faces = [...seenFaces(frames, start)].sort(([a], [b]) => a - b);
  const title = `Expressions, ${new Date(1000 * start).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" })}`;
  const legend = EXPRESSIONS.map((name) => `<li style="--colour: ${colourOf(name)}">${name}</li>`).join("");
  const sections = faces.map(([id, moments]) => section(id, moments, seconds)).join("");
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${clock(seconds)} minutes, ${frames.length} frames, ${faces.length} ${faces.length === 1 ? "face" : "faces"}. Each chart shows how probable the expressions were, from the recording’s start to its end.</p>
<ul>${legend}</ul>
${sections}
<section><p>A neural network said what faces looked like, which is not what people felt. There are no pictures in this file.</p></section>
</html>
`;
  return new Blob([page], { type: "text/html" });
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

function section(id, moments, seconds) {
  const clearest = EXPRESSIONS.map((name) => strongest(name, moments)).filter(({ share }) => share >= CLEAR);
  const rows = clearest.map(({ name, at, share }) => `<tr><td style="--colour: ${colourOf(name)}">${name}<td>${clock(at, 1)}<td>${percent(share)}`);
  const table = rows.length ? `<table><tr><th>Most clearly<th>At<th>Probability${rows.join("")}</table>` : "";
  return `<section><h2>Face ${id}</h2><p>${shares(moments)}</p>${chart(moments, seconds)}${table}</section>\n`;
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

/** Probabilities on top of one another over time; nothing where the face was not seen. */
function chart(moments, seconds) {
  const steps = Array.from({ length: STEPS }, () => []);
  for (const { at, face } of moments) steps[Math.min(Math.floor((STEPS * at) / seconds), STEPS - 1)].push(face.probabilities);
  const areas = EXPRESSIONS.map((name, k) => {
    const below = (step) => mean(step, EXPRESSIONS.slice(k + 1));
    const bars = steps.map((step, i) => (step.length ? bar(i, below(step), mean(step, [name])) : ""));
    return `<path fill="${colourOf(name)}" d="${bars.join("")}"/>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Probabilities over time">${areas.join("")}</svg>`;
}

/** The mean over the frames of a step of what several expressions have together. */
const mean = (step, names) => step.reduce((sum, row) => sum + names.reduce((total, name) => total + row[name], 0), 0) / step.length;

function bar(i, below, share) {
  const [x, width] = [(i * WIDTH) / STEPS, WIDTH / STEPS];
  const [top, height] = [(1 - below - share) * HEIGHT, share * HEIGHT];
  return height < 0.05 ? "" : `M${x} ${top.toFixed(1)}h${width}v${height.toFixed(1)}h${-width}z`;
}
