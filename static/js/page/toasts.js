/* Short messages at the page's lower edge: what has been done, and for some seconds a way to undo it. */

const SHOWN_MS = 4000;
export const UNDO_MS = 8000;

const place = document.getElementById("toasts");

function show(words, milliseconds, onEnd = () => {}) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const text = toast.appendChild(document.createElement("p"));
  text.textContent = words;
  place.append(toast);
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    toast.remove();
    onEnd();
  };
  const timer = setTimeout(end, milliseconds);
  return { toast, end };
}

/** Say what has been done. */
export const say = (words) => void show(words, SHOWN_MS);

const waiting = new Set();

/** Say what is about to be done, do it after some seconds, or not at all if the visitor undoes it; return what ends it. */
export function undoable(words, { done, undone }) {
  let act = done;
  const { toast, end } = show(words, UNDO_MS, () => {
    waiting.delete(end);
    act();
  });
  waiting.add(end);
  const button = toast.appendChild(document.createElement("button"));
  Object.assign(button, { type: "button", className: "button", textContent: "Undo" });
  button.addEventListener("click", () => {
    act = undone;
    end();
  });
  return end;
}

/** What is about to be done is done when the page is left. */
addEventListener("pagehide", () => waiting.forEach((end) => end()));
