/* Short messages, one at a time: what has been done, and for some seconds a way to undo it. */

const SHOWN_MS = 4000;
export const UNDO_MS = 8000;

const place = document.getElementById("toasts");
let present = null; // { end, undoable }
let waiting = null; // what is to be said once nothing can be undone any more

function show(words, milliseconds, { undoable = false, onEnd = () => {} } = {}) {
  while (present) present.end();
  const toast = document.createElement("div");
  toast.className = "toast";
  const text = toast.appendChild(document.createElement("p"));
  text.textContent = words;
  place.append(toast);
  const end = () => {
    if (present !== shown) return;
    present = null;
    clearTimeout(timer);
    toast.remove();
    onEnd();
    sayWaiting();
  };
  const timer = setTimeout(end, milliseconds);
  const shown = (present = { end, undoable });
  return { toast, end };
}

/** Say what has been done. */
export function say(words) {
  if (present?.undoable) waiting = words;
  else show(words, SHOWN_MS);
}

function sayWaiting() {
  const words = waiting;
  waiting = null;
  if (words) say(words);
}

/** Say what is about to be done, do it after some seconds, or not at all if the visitor undoes it; return what ends it. */
export function undoable(words, { done, undone }) {
  let act = done;
  const { toast, end } = show(words, UNDO_MS, { undoable: true, onEnd: () => act() });
  const button = toast.appendChild(document.createElement("button"));
  Object.assign(button, { type: "button", className: "button", textContent: "Undo" });
  button.addEventListener("click", () => {
    act = undone;
    end();
  });
  return end;
}

/** What is about to be done is done when the page is left. */
addEventListener("pagehide", () => present?.end());
