/* The dialog in which a visitor chooses the video that the server shows to everyone. */

const KINDS = {
  configured: ["screen", "What the app was started with"],
  camera: ["video", "On the computer that runs the app"],
  demo: ["film", "Comes with the app"],
  video: ["upload", "Uploaded by you"],
  address: ["network", "Network camera"],
  other: ["screen", "Chosen by someone else"],
};
const OTHER = "other";
const ANSWER_MS = 10_000;
const SILENT = "Can’t reach the app. Try again in a moment.";

const byId = (id) => document.getElementById(id);

/** Ask the app; its answer, or an error in words. */
async function ask(address, options) {
  const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS), ...options }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (!answer?.ok || !said) throw new Error(said?.error?.message ?? SILENT);
  return said;
}

export class SourceDialog {
  /**
   * `addresses`: { sources, change }; `onChange()` is called once it is changed; `camera()`: the name of the one that is
   * meant, where there are several.
   */
  constructor(addresses, onChange, camera = () => null) {
    Object.assign(this, { addresses, onChange, camera });
    this.dialog = byId("sources");
    byId("sources-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    for (const id of ["sources-close", "sources-cancel"]) byId(id).addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    // Not on focus, which Tab moves through here on its way.
    for (const [id, kind] of [["address-choice", "click"], ["address", "input"]]) {
      byId(id).addEventListener(kind, () => {
        byId("address-chosen").checked = true;
      });
    }
  }

  async open() {
    this.#say("");
    try {
      this.#fill(await ask(this.#of(this.addresses.sources)));
    } catch (error) {
      this.#fill({ choices: [], hosts: [], current: {} });
      this.#say(error.message);
    }
    if (!this.dialog.open) this.dialog.showModal();
    this.#radio(":checked")?.focus();
  }

  #fill({ choices, hosts, current }) {
    // What another visitor chose is shown as present too, though it is not this visitor's to choose.
    const others = current.name && current.id === null ? [{ id: OTHER, kind: "other", name: current.name }] : [];
    const shown = current.id ?? OTHER;
    byId("choice-list").replaceChildren(...[...others, ...choices].map((choice) => this.#choice(choice, shown)));
    byId("videos-hint").hidden = choices.some(({ kind }) => kind === "video");
    byId("addresses-hint").hidden = hosts.length > 0;
    byId("address-choice").hidden = !hosts.length;
    byId("address-chosen").checked = false;
    byId("address").placeholder = hosts[0] ?? "";
    byId("address-hosts").textContent = `Must start with ${hosts.join(" or ")}`;
    byId("sources-show").disabled = !choices.length;
  }

  #choice({ id, kind, name }, current) {
    const choice = byId("choice").content.firstElementChild.cloneNode(true);
    const [icon, words] = KINDS[kind];
    const [radio, use] = [choice.querySelector("input"), choice.querySelector("use")];
    radio.value = id;
    radio.checked = id === current;
    use.setAttribute("href", `#icon-${icon}`);
    choice.querySelector(".choice-name").textContent = name;
    choice.querySelector(".choice-kind").textContent = id === current ? `${words} · shown now` : words;
    return choice;
  }

  async #submit() {
    const chosen = this.#radio(":checked");
    const address = byId("address").value.trim();
    if (!chosen) return this.#say("Choose a video.");
    if (chosen.value === OTHER) return this.dialog.close(); // it is shown already
    if (!chosen.value && !address) return this.#say("Enter the network camera’s address.");
    byId("sources-show").disabled = true;
    try {
      const body = JSON.stringify(chosen.value ? { id: chosen.value } : { address });
      const headers = { "Content-Type": "application/json" };
      await ask(this.#of(this.addresses.change), { method: "POST", headers, body });
      this.dialog.close();
      this.onChange();
    } catch (error) {
      this.#say(error.message);
    }
    byId("sources-show").disabled = false;
  }

  #of(address) {
    const camera = this.camera();
    return camera ? `${address}?${new URLSearchParams({ camera })}` : address;
  }

  #radio(selector) {
    return byId("sources-form").querySelector(`input[name=source]${selector}`);
  }

  #say(words) {
    byId("sources-error").textContent = words;
  }
}
