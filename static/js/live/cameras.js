/* Several cameras of the server: tiles that share the window, of which a click makes one large, and the address says so. */

import { FaceList } from "../faces/faces.js";
import { Scene } from "./scene.js";
import { ServerView } from "./server-view.js";
import { STATES } from "./status.js";
import { Stage } from "../faces/stage.js";

const PARAMETER = "camera"; // in the page's address
const KEEPS_UP = 0.8; // of a source's frames; with fewer, the page says how many

export class Cameras {
  /**
   * `tiles`: the element with a button for each camera; `lists`: that with a list of faces for each; `rests(name)`: what
   * tells the app of resting faces; `on`: as for ServerView, with the scene as the last argument of `result`.
   */
  constructor(tiles, lists, addresses, rests, on) {
    Object.assign(this, { tiles, on, told: new Map() });
    this.cameras = [...tiles.children].map((tile) => {
      const { camera: name } = tile.dataset;
      const list = lists.querySelector(`[data-faces="${name}"]`);
      const faces = new FaceList(list, document.getElementById("face-card"), list.querySelector(".no-face"), rests(name));
      const scene = new Scene(new Stage(...tile.querySelectorAll("canvas")), faces);
      const view = new ServerView(scene.stage, addresses, this.#news(name, tile, scene), name);
      tile.addEventListener("click", () => this.#enlarge(this.large === name ? null : name));
      return { name, tile, scene, view };
    });
    tiles.style.setProperty("--columns", Math.ceil(Math.sqrt(this.cameras.length)));
    tiles.style.setProperty("--others", this.cameras.length - 1);
    this.#enlarge(new URLSearchParams(location.search).get(PARAMETER));
  }

  get running() {
    return this.cameras[0].view.running;
  }

  /** The name of the camera that the page speaks of: the large one, else the first. */
  get chosen() {
    return this.large ?? this.cameras[0].name;
  }

  /** What is said of all faces, camera by camera. */
  get said() {
    return this.cameras.flatMap(({ scene }) => scene.said);
  }

  start() {
    this.cameras.forEach(({ view }) => view.start());
  }

  stop() {
    this.cameras.forEach(({ view }) => view.stop());
  }

  show(options) {
    this.cameras.forEach(({ view }) => view.show(options));
  }

  clear() {
    this.cameras.forEach(({ scene }) => scene.clear());
  }

  /** What is shown: the large camera, or all side by side. */
  snapshot() {
    const shown = this.cameras.filter(({ name }) => !this.large || name === this.large).map(({ scene }) => scene.stage.snapshot());
    const height = Math.max(...shown.map((canvas) => canvas.height));
    const widths = shown.map((canvas) => Math.round((canvas.width * height) / canvas.height));
    const all = Object.assign(document.createElement("canvas"), { width: widths.reduce((sum, width) => sum + width), height });
    shown.reduce((x, canvas, i) => {
      all.getContext("2d").drawImage(canvas, x, 0, widths[i], height);
      return x + widths[i];
    }, 0);
    return all;
  }

  #news(name, tile, scene) {
    const { result, status, lost, refused } = this.on;
    return {
      result: (frame, picture) => {
        const slow = frame.fps > 0 && frame.fps < KEEPS_UP * frame.source_fps;
        const words = slow ? `${Math.round(frame.fps)} of ${Math.round(frame.source_fps)} fps` : "";
        if (this.told.get(name)?.state === "live") this.#label(tile, words); // else it is a message's frame
        result(frame, picture, scene);
      },
      status: (told) => {
        if (told.state !== "live") scene.clear();
        if (told.state !== "live") this.#label(tile, STATES[told.state]);
        tile.title = told.reason;
        this.told.set(name, { ...told, frame: null }); // the stage keeps its shape, whatever is large
        if (name === this.chosen) status(this.told.get(name));
      },
      lost: () => {
        this.#leave(scene, tile, "lost");
        if (name === this.chosen) lost();
      },
      refused: (words) => {
        this.#leave(scene, tile, "failed");
        tile.title = words;
        if (name === this.chosen) refused(words);
      },
      changed: () => scene.clear(), // its faces have other numbers from now on
    };
  }

  /** Say beside a camera's name what is the matter with it, if anything. */
  #label(tile, words) {
    const label = tile.querySelector(".tile-state");
    if (label.textContent !== words) label.textContent = words;
  }

  #leave(scene, tile, state) {
    scene.clear();
    this.#label(tile, STATES[state]);
  }

  #enlarge(name) {
    const large = this.cameras.find((camera) => camera.name === name)?.name ?? null;
    this.large = large;
    this.tiles.toggleAttribute("data-large", large !== null);
    for (const camera of this.cameras) camera.tile.setAttribute("aria-pressed", String(camera.name === large));
    const address = new URL(location.href);
    if (large) address.searchParams.set(PARAMETER, large);
    else address.searchParams.delete(PARAMETER);
    history.replaceState(null, "", address);
    if (this.told.has(this.chosen)) this.on.status(this.told.get(this.chosen));
  }
}
