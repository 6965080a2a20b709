/* The intervals of a video: a table whose rows go to their moment in the player. */

import { clock, lengthOf } from "../page/clock.js";
import { percent } from "../faces/expressions.js";

/** Fill `element` with intervals as summary.json has them; `seek` is called with the seconds to go to. */
export function showIntervals(element, { intervals = [], interval_limits: limits, faces }, seek) {
  element.hidden = !intervals.length;
  element.querySelector(".intervals-rule").textContent = limits ? rule(limits) : "";
  element.querySelector(".intervals-count").textContent = intervals.length;
  const several = faces.length > 1;
  element.querySelector(".intervals-rows").replaceChildren(...intervals.map((interval) => row(interval, several, seek)));
}

function rule({ on, off, shortest, gap }) {
  return (
    `Each begins where the probability reaches ${percent(on)}, and ends below ${percent(Math.min(on, off))}. ` +
    `Gaps of ${gap} s or less are bridged, and what lasts less than ${shortest} s is left out.`
  );
}

function row(interval, several, seek) {
  const { face, name, expression, onset, peak, offset, duration } = interval;
  const line = document.createElement("tr");
  line.dataset.expression = expression;
  const head = line.appendChild(document.createElement("th"));
  head.scope = "row";
  head.textContent = name || (several ? `Face ${face}` : face);
  const named = line.insertCell();
  named.className = "named";
  named.textContent = expression;
  const go = document.createElement("button");
  Object.assign(go, { type: "button", className: "button interval-go", textContent: clock(onset, 1) });
  go.setAttribute("aria-label", `Go to ${clock(onset, 1)}, where ${expression} begins`);
  go.addEventListener("click", () => seek(onset));
  line.insertCell().append(go);
  for (const words of [clock(peak, 1), clock(offset, 1), lengthOf(duration)]) line.insertCell().textContent = words;
  for (const part of ["mean_probability", "peak_probability"]) {
    const cell = line.insertCell();
    cell.textContent = percent(interval[part]);
    cell.style.setProperty("--share", cell.textContent);
  }
  return line;
}
