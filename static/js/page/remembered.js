/* Switches that the browser remembers: they are as the visitor left them, on every page and at every visit. */

/** What is remembered under a name, or what is usual. */
export function recall(name, usual) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? usual;
  } catch {
    return usual; // Storage may be forbidden.
  }
}

/** Remember a value under a name. */
export function remember(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // The choice holds until the page is left.
  }
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
