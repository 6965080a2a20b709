/* Where pictures are analysed, on this device or on the server: the switch, its words, and what does it. */

import { DeviceFrames } from "../private/device-frames.js";
import { Engine, supported } from "../private/engine.js";
import { recall, remember } from "../page/remembered.js";
import { ServerFrames } from "./server-frames.js";

const CHOICE = "place"; // what the visitor chose
const SLOW = "slow"; // whether this device proved to be; then the server is usual at the next visit
const CAMERA_WORDS = {
  device: "Its pictures stay on this device, which analyses them itself. Nothing is sent.",
  server: "Its pictures go to the computer that runs this app, are analysed frame by frame, and are not kept. They go nowhere else.",
};
const MEGABYTES = 6;

const byId = (id) => document.getElementById(id);

export class Places {
  /**
   * `told`: what the page says of private mode, as JSON, "null" where it is not to be had. `onDevice(engine, on)` makes
   * what analyses there; `server` does it on the server, null where there is none. `words`: { device, server } say where
   * pictures go, `usual` is what counts until the visitor chooses. `onChange(analyser)` is called when the visitor does.
   */
  constructor(told, { onDevice, server, words, usual }, onChange) {
    const files = JSON.parse(told);
    const on = { progress: showProgress, slow: (perSecond) => this.#offerServer(perSecond) };
    this.allWords = words;
    this.analysers = { device: files && supported() ? onDevice(new Engine(files), on) : null, server };
    this.inputs = [...document.querySelectorAll("input[name=place]")];
    this.inputs.forEach((input) => {
      input.disabled = !this.analysers[input.value];
      input.addEventListener("change", () => this.#choose(input.value, onChange));
    });
    byId("place-server").addEventListener("click", () => this.#choose("server", onChange));
    const preferred = [recall(CHOICE, usual), usual, "device", "server"];
    this.#show(preferred.find((place) => this.analysers[place]) ?? usual);
    byId("place-reason").textContent = reason(files, server);
  }

  /** What analyses the frames. */
  get analyser() {
    return this.analysers[this.chosen];
  }

  /** Where the pictures go, in words. */
  get words() {
    return this.allWords[this.chosen];
  }

  #choose(place, onChange) {
    remember(CHOICE, place);
    this.#show(place);
    onChange(this.analyser);
  }

  #show(place) {
    this.chosen = place;
    this.inputs.forEach((input) => (input.checked = input.value === place));
    byId("main").dataset.place = place;
    byId("place-words").textContent = this.words;
    byId("place-slow").hidden = true;
  }

  /** Pictures go to the server only where the visitor says so, however slow this device is. */
  #offerServer(perSecond) {
    remember(SLOW, true);
    if (!this.analysers.server) return;
    byId("place-slow-words").textContent = `This device manages ${perSecond.toFixed(1)} pictures a second. The server may be faster, but then gets the pictures.`;
    byId("place-slow").hidden = false;
  }
}

/** For the visitor's own camera; `addresses`: { frame, rest } of the API, none where there is no server. */
export const forFrames = (addresses) => ({
  onDevice: (engine, on) => new DeviceFrames(engine, on),
  server: addresses.frame ? new ServerFrames(addresses) : null,
  words: CAMERA_WORDS,
  usual: recall(SLOW, false) ? "server" : "device",
});

function showProgress(share) {
  const place = byId("place-progress");
  place.hidden = share >= 1;
  place.querySelector("progress").value = share;
  place.querySelector("span").textContent = `Loading what this device needs (once, up to ${MEGABYTES} MB): ${Math.round(100 * share)}%`;
}

/** Why this device cannot do it; nothing where it can. */
function reason(files, server) {
  if (files && supported()) return "";
  const why = files ? "This browser is too old to analyse pictures itself; update it, or use another one." : "This app cannot analyse pictures in browsers.";
  return server ? `${why} The server does it.` : why;
}
