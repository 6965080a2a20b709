/* The page for pictures and videos: take them by drop, choice or paste, and show what becomes of them. */

import { kindOf } from "./file-kind.js";
import { PictureCard } from "./picture-card.js";
import { VideoCard } from "./video-card.js";
import { VideoQueue } from "./video-queue.js";

const byId = (id) => document.getElementById(id);
const { predict, annotate, kind, jobs, example } = byId("pictures-script").dataset;
const list = byId("picture-list");
const options = { labels: true, blur: false };
const cards = [];
const queue = [];
let working = false;

const videos = new VideoQueue(jobs, (name) => new VideoCard(byId("video-card"), byId("download-link"), name), {
  place: (card) => list.prepend(card.element),
  leaving: passFocusOn,
  changed: showCount,
});

async function add(files) {
  const added = [...files]; // the list may be emptied meanwhile
  const kinds = await Promise.all(added.map((file) => kindOf(file, kind)));
  added.forEach((file, i) => (kinds[i] === "video" ? videos.add(file) : addPicture(file)));
}

function addPicture(file) {
  const card = new PictureCard(byId("picture-card"), file, options);
  card.onRemove = () => remove(card);
  card.onRetry = () => enqueue(card);
  cards.push(card);
  list.prepend(card.element);
  enqueue(card);
  showCount();
}

function enqueue(card) {
  card.wait();
  queue.push(card);
  if (!working) work();
}

/** One picture at a time: the server has other visitors too. */
async function work() {
  working = true;
  for (let card = queue.shift(); card; card = queue.shift()) {
    if (cards.includes(card)) await card.analyse({ predict, annotate });
  }
  working = false;
}

function remove(card) {
  passFocusOn(card);
  card.abort?.();
  cards.splice(cards.indexOf(card), 1);
  card.element.remove();
  showCount();
}

/** Before a card goes, give the focus to the neighbour's button; else the keyboard would start again at the top. */
function passFocusOn({ element }) {
  const neighbour = element.nextElementSibling ?? element.previousElementSibling;
  (neighbour?.querySelector(".remove") ?? byId("choose")).focus();
}

function showCount() {
  const counts = [[cards.length, "picture"], [videos.cards.size, "video"]].filter(([count]) => count > 0);
  const words = counts.map(([count, name]) => `${count} ${name}${count === 1 ? "" : "s"}`);
  byId("picture-tools").hidden = counts.length === 0;
  byId("picture-options").hidden = cards.length === 0;
  byId("picture-count").textContent = words.join(", ");
}

byId("choose").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = ""; // so that the same file can be chosen again
});
byId("example").addEventListener("click", async () => {
  const answer = await fetch(example).catch(() => null);
  if (answer?.ok) add([new File([await answer.blob()], "example.jpg", { type: "image/jpeg" })]);
});
addEventListener("paste", (event) => add(event.clipboardData.files));

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  byId("drop-zone").dataset.over = "";
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) delete byId("drop-zone").dataset.over;
});
addEventListener("drop", (event) => {
  delete byId("drop-zone").dataset.over;
  if (!holdsFiles(event)) return;
  event.preventDefault();
  add(event.dataTransfer.files);
});

for (const name of ["labels", "blur"]) {
  byId(name).addEventListener("change", (event) => {
    options[name] = event.target.checked;
    cards.forEach((card) => card.draw());
  });
}
byId("clear").addEventListener("click", () => [...cards].forEach(remove));
document.addEventListener("themechange", () => {
  videos.recolour();
  cards.forEach((card) => card.draw());
});
videos.resume();
