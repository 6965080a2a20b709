/* Switches that the browser remembers: they are as the visitor left them, on every page and at every visit. */

function read(name, usual) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? usual;
  } catch {
    return usual; // Storage may be forbidden.
  }
}

function write(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // The choice holds until the page is left.
  }
}

/** Tie the switches #labels and #blur to what is remembered; `onChange` gets { labels, blur }, now and at each change. */
export function rememberedSwitches(onChange) {
  const options = { labels: read("labels", true), blur: read("blur", false) };
  for (const name of Object.keys(options)) {
    const input = document.getElementById(name);
    input.checked = options[name];
    input.addEventListener("change", () => {
      options[name] = input.checked;
      write(name, input.checked);
      onChange(options);
    });
  }
  onChange(options);
  return options;
}
