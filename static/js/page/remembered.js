/* What the browser remembers: switches, on every page and at every visit, and other choices. Where it may not, they hold
   until the page is left, and that is said once. */

import { say } from "./toasts.js";

const untilLeft = new Map();
let said = false;

/** What is remembered under a name, or what is usual. `storage()`: for good, or until the tab is closed. */
export function recall(name, usual, storage = () => localStorage) {
  try {
    return JSON.parse(storage().getItem(name)) ?? usual;
  } catch {
    return untilLeft.get(name) ?? usual;
  }
}

/** Remember a value under a name. */
export function remember(name, value, storage = () => localStorage) {
  try {
    storage().setItem(name, JSON.stringify(value));
  } catch {
    untilLeft.set(name, value);
    sayNothingIsKept();
  }
}

/** Say, once, that this browser keeps nothing. */
export function sayNothingIsKept() {
  if (!said) say("This browser keeps nothing of this page: cookies and site data are blocked");
  said = true;
}

/** Tie the switches #labels and #blur to what is remembered; `onChange` gets { labels, blur }, now and at each change. */
export function rememberedSwitches(onChange) {
  const options = { labels: recall("labels", true), blur: recall("blur", false) };
  for (const name of Object.keys(options)) {
    const input = document.getElementById(name);
    input.checked = options[name];
    input.addEventListener("change", () => {
      options[name] = input.checked;
      remember(name, input.checked);
      onChange(options);
    });
  }
  onChange(options);
  return options;
}
