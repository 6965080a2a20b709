/* Where the app's outputs stand, which tell other programs of the faces in the server's video, and bring markers. */

const STATES = { connecting: "connecting", connected: "connected", reconnecting: "not reached, trying again" };

/** Fill the page's list; it is left alone where it says the same already, for screen readers. */
export function showOutputs(list, outputs) {
  const lines = outputs.map(({ name, state, reason }) => `${name}: ${STATES[state]}. ${reason}`.trim());
  if (lines.join("\n") === [...list.children].map((item) => item.textContent).join("\n")) return;
  list.replaceChildren(...lines.map((line, i) => item(line, outputs[i].state)));
}

function item(words, state) {
  const line = document.createElement("li");
  line.dataset.output = state;
  line.textContent = words;
  return line;
}
