/* Where the app's outputs stand, which tell other programs of the faces in the server's video, and bring markers. */

const STATES = { connecting: "connecting", connected: "connected", reconnecting: "not reached, trying again" };
const FEW = 3; // so many are shown at once, more when the visitor opens the list

/** Fill the page's list, a <details>; it is left alone where it says the same already, for screen readers. */
export function showOutputs(details, outputs) {
  const lines = outputs.map(({ name, state, reason }) => `${name}: ${STATES[state]}. ${reason}`.trim());
  if (lines.join("\n") === details.dataset.told) return;
  const first = !details.dataset.told;
  details.dataset.told = lines.join("\n");
  if (first) details.open = outputs.length <= FEW;
  const connected = outputs.filter(({ state }) => state === "connected").length;
  const summary = `Connections to other programs: ${connected} of ${outputs.length}`;
  details.querySelector("summary").textContent = outputs.length ? summary : "";
  details.querySelector("ul").replaceChildren(...lines.map((line, i) => item(line, outputs[i].state)));
}

function item(words, state) {
  const line = document.createElement("li");
  line.dataset.output = state;
  line.textContent = words;
  return line;
}
