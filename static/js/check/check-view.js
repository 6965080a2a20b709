/* The results of a check on the page, and what the visitor can do with them. */

import { picture, WAYS } from "./check-picture.js";
import { advice, interval, judge } from "./check-results.js";
import { EXPRESSIONS, LABELS, percent } from "../faces/expressions.js";
import { download, json, png, timestamp } from "../page/files.js";
import { keep, personalFile } from "../faces/personal.js";
import { toNamed } from "../faces/probabilities.js";

const byId = (id) => document.getElementById(id);

const FORTUNES = {
  seen: "Neither comparing nor adapting makes it right more often.",
  rest: "Comparing with your resting face helps.",
  adapted: "Adapting helps: it was right more often about answers that it had not been adapted to.",
};

export class CheckResults {
  /** `onKept()` is called when the visitor keeps something. */
  constructor(version, onKept) {
    this.version = version;
    this.onKept = onKept;
    byId("keep-rest").addEventListener("click", () => this.#keep({ rest: this.judged.rest }));
    byId("adapt").addEventListener("click", () => this.#keep({ adaptation: this.judged.adaptation }));
    byId("save-json").addEventListener("click", () => download(json(this.#figures()), `check ${timestamp()}.json`));
    byId("save-png").addEventListener("click", async () => {
      download(await png(picture(this.judged, this.best)), `check ${timestamp()}.png`);
    });
    byId("save-personal").addEventListener("click", () => {
      const content = personalFile();
      download(json(content), `${content.adaptation ? "adaptation" : "resting face"} ${timestamp()}.json`);
    });
  }

  /** `answers` as `judge` takes them; `quality` as `advice` does. */
  show(answers, quality) {
    Object.assign(this, { answers, quality, judged: judge(answers) });
    const { ways, total, rest, adaptation } = this.judged;
    this.best = ways.filter(({ key }) => key !== "adapted" || adaptation).reduce((a, b) => (b.right > a.right ? b : a));
    const [low, high] = interval(this.best.right, total);
    byId("results-title").textContent = `Right in ${this.best.right} of ${total}`;
    byId("results-words").textContent = `${WAYS[this.best.key]}. With so few answers, it may be right about you in anything from ${percent(low)} to ${percent(high)}.`;
    byId("ways").replaceChildren(...ways.map((way) => bar(way, total)));
    this.#showMatrixOf(this.best);
    byId("advice").replaceChildren(...advice(quality).map((words) => element("li", words)));
    byId("offer-words").textContent = FORTUNES[this.best.key];
    byId("keep-rest").hidden = !rest;
    byId("adapt").hidden = !adaptation;
    byId("keep-rest").classList.toggle("button-primary", this.best.key === "rest");
    byId("adapt").classList.toggle("button-primary", this.best.key === "adapted");
    byId("results-title").focus();
  }

  #showMatrixOf(chosen) {
    const choices = this.judged.ways.map((way) => {
      const input = Object.assign(element("input"), { type: "radio", name: "way", value: way.key, checked: way === chosen });
      input.addEventListener("change", () => drawMatrix(way.confusion));
      const label = element("label");
      label.append(input, WAYS[way.key]);
      return label;
    });
    byId("which").replaceChildren(byId("which").querySelector("legend"), ...choices);
    drawMatrix(chosen.confusion);
  }

  #keep(what) {
    keep(what);
    this.onKept();
    byId("in-use").scrollIntoView({ block: "nearest" });
  }

  /** All that was found, for those who collect figures; it can be loaded again. */
  #figures() {
    const { ways, total, rest, adaptation } = this.judged;
    return {
      made: new Date().toISOString(),
      version: this.version,
      total,
      right: Object.fromEntries(ways.map(({ key, right }) => [key, right])),
      confusion: { expressions: LABELS, ...Object.fromEntries(ways.map(({ key, confusion }) => [key, confusion])) },
      answers: this.answers.map(({ shown, probabilities }) => ({ expression: LABELS[shown], probabilities: toNamed(probabilities) })),
      camera: this.quality,
      ...(rest && { resting_face: rest.record() }),
      ...(adaptation && { adaptation: adaptation.record() }),
    };
  }
}

function element(name, words = "") {
  const made = document.createElement(name);
  made.textContent = words;
  return made;
}

function bar({ key, right }, total) {
  const item = byId("way").content.firstElementChild.cloneNode(true);
  const [low, high] = interval(right, total);
  item.querySelector(".check-way-name").textContent = WAYS[key];
  item.querySelector(".check-way-figure").textContent = `${right} of ${total}`;
  item.querySelector(".check-bar-fill").setAttribute("width", (100 * right) / total);
  const reach = item.querySelector(".check-bar-reach");
  reach.setAttribute("x1", 100 * low);
  reach.setAttribute("x2", 100 * high);
  return item;
}

/** A table of what was shown (rows) and what that was taken for (columns); the diagonal is right. */
function drawMatrix(confusion) {
  const head = element("tr");
  head.append(element("td"), ...EXPRESSIONS.map((name) => heading(name, "col")));
  const rows = EXPRESSIONS.map((name) => {
    const counts = confusion[LABELS.indexOf(name)];
    const all = counts.reduce((sum, count) => sum + count, 0);
    const row = element("tr");
    row.append(heading(name, "row"), ...EXPRESSIONS.map((other) => cell(counts[LABELS.indexOf(other)], all, name, other)));
    return row;
  });
  const [top, body] = [element("thead"), element("tbody")];
  top.append(head);
  body.append(...rows);
  byId("matrix").replaceChildren(element("caption", "Rows: what you showed. Columns: what it was taken for."), top, body);
}

function heading(name, scope) {
  const made = Object.assign(element("th"), { scope });
  made.append(element("span", name));
  return made;
}

function cell(count, all, shown, taken) {
  const made = element("td", count ? String(count) : "");
  if (shown === taken) made.dataset.right = "";
  if (!count) return made;
  made.dataset.expression = taken;
  made.style.setProperty("--share", `${Math.round(20 + 45 * (count / all))}%`);
  made.title = `${shown} was taken for ${taken}: ${count} of ${all}`;
  return made;
}
