/* The page for pictures: take them by drop, choice or paste, ask the API one after the other, show the answers. */

import { PictureCard } from "./picture-card.js";

const byId = (id) => document.getElementById(id);
const { predict, example } = byId("pictures-script").dataset;
const list = byId("picture-list");
const options = { labels: true, blur: false };
const cards = [];
const queue = [];
let working = false;

function add(files) {
  for (const file of files) {
    const card = new PictureCard(byId("picture-card"), file, options);
    card.onRemove = () => remove(card);
    card.onRetry = () => enqueue(card);
    cards.push(card);
    list.prepend(card.element);
    enqueue(card);
  }
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
    if (cards.includes(card)) await card.analyse(predict);
  }
  working = false;
}

function remove(card) {
  const next = card.element.nextElementSibling ?? card.element.previousElementSibling;
  cards.splice(cards.indexOf(card), 1);
  card.element.remove();
  (next?.querySelector(".picture-remove") ?? byId("choose")).focus();
  showCount();
}

function showCount() {
  byId("picture-tools").hidden = cards.length === 0;
  byId("picture-count").textContent = cards.length === 1 ? "1 picture" : `${cards.length} pictures`;
}

byId("choose").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = ""; // so that the same file can be chosen again
});
byId("example").addEventListener("click", async () => {
  const answer = await fetch(example);
  add([new File([await answer.blob()], "example.jpg", { type: "image/jpeg" })]);
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
