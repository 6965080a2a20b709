/* How videos are analysed that are added from now on: which frames, which part, compared with which resting face. */

import { parseSpan, parseTime } from "../page/clock.js";

export class VideoOptions {
  /** `element`: the page's, with all that can be chosen in it. */
  constructor(element) {
    this.part = (name) => element.querySelector(`#option-${name}`);
    this.chosen = element.querySelector("#options-chosen");
    this.problemText = element.querySelector("#options-problem");
    element.addEventListener("input", () => this.#show());
    element.addEventListener("change", () => this.#show());
    this.#show(); // browsers keep what was typed over a reload
  }

  /** What is chosen, as the API takes it, and the `problem` with it in words, if there is one. */
  get present() {
    const [fps, start, end, rest, time] = ["fps", "start", "end", "rest", "rest-time"].map((name) => this.#value(name));
    return { fps, start, end, rest: rest === "time" ? time : rest, problem: this.#mistake()?.words ?? "" };
  }

  #value(name) {
    return this.part(name).value.trim();
  }

  /** The first field with a mistake, and what is to be done, in words; null where there is none. */
  #mistake() {
    const [start, end] = ["start", "end"].map((name) => parseTime(this.#value(name) || "0"));
    if (Number.isNaN(start)) return { field: "start", words: "“From”: write a time such as 1:30." };
    if (Number.isNaN(end)) return { field: "end", words: "“To”: write a time such as 1:30." };
    if (this.#value("end") && end <= start) return { field: "end", words: "“To” must be later than “From”." };
    if (this.#value("rest") === "time" && parseSpan(this.#value("rest-time")).some(Number.isNaN)) {
      return { field: "rest-time", words: "“At rest”: write from when to when, such as 0:03-0:06." };
    }
    return null;
  }

  #show() {
    this.part("rest-time-label").hidden = this.#value("rest") !== "time";
    const { fps, start, end, rest, problem } = this.present;
    const words = [
      fps && `${fps} frame${fps === "1" ? "" : "s"} a second`,
      start && `from ${start}`,
      end && `to ${end}`,
      rest && "compared with resting face",
    ].filter(Boolean);
    this.chosen.textContent = words.length ? `: ${words.join(", ")}` : "";
    if (this.problemText.textContent !== problem) this.problemText.textContent = problem;
    const { field } = this.#mistake() ?? {};
    for (const name of ["start", "end", "rest-time"]) this.part(name).ariaInvalid = String(name === field);
  }
}
