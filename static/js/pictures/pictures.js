/* The page for pictures and videos: take them by drop, choice or paste, and show what becomes of them. */

import { Arrangement } from "./arrangement.js";
import { Connection } from "../page/connection.js";
import { FaceDialog } from "../videos/face-dialog.js";
import { FACE_COLUMNS, csv, download, timestamp } from "../page/files.js";
import { KeptPictures } from "./kept-pictures.js";
import { Lightbox } from "./lightbox.js";
import { PictureCard } from "./picture-card.js";
import { Places } from "../camera/places.js";
import { DevicePictures } from "../private/device-pictures.js";
import { rememberedSwitches } from "../page/remembered.js";
import { ServerPictures } from "./server-pictures.js";
import { say, undoable } from "../page/toasts.js";
import { VideoCard } from "../videos/video-card.js";
import { VideoOptions } from "../videos/video-options.js";
import { VideoQueue } from "../videos/video-queue.js";
import { tieReport } from "../videos/videos-report.js";
import { downloadZip } from "../../vendor/client-zip/index.js";

const byId = (id) => document.getElementById(id);
const told = byId("pictures-script").dataset;
const served = Boolean(told.predict);
const WORDS = {
  device: "Pictures stay on this device, which analyses them itself. Nothing is sent.",
  server: "Pictures go to the computer that runs this app, which analyses them in memory and does not keep them.",
};
const list = byId("picture-list");
const cards = [];
const arrangement = new Arrangement(list, inAddedOrder);
const queue = [];
const kept = new KeptPictures();
const lightbox = new Lightbox();
const connection = new Connection(told.health ?? told.example, byId("connection"));
const places = new Places(
  told.private,
  {
    onDevice: (engine, on) => new DevicePictures(engine, on, served ? "Or choose “On the server”, and add it again." : ""),
    server: served ? new ServerPictures(told, connection) : null,
    words: WORDS,
    usual: "server",
  },
  () => {},
);
let working = false;
let batchEnd = null; // what is added now goes before this card
let batch = 0;

const options = rememberedSwitches(() => cards.forEach((card) => card.draw()));
const videos = served ? makeVideos() : null;

function makeVideos() {
  tieReport(byId("report"), told.report, connection);
  const faceDialog = new FaceDialog(told.jobs, connection);
  const videoOptions = new VideoOptions(byId("video-options"));
  const templates = { card: byId("video-card"), download: byId("download-link") };
  return new VideoQueue(told.jobs, connection, (name) => new VideoCard(templates, name, faceDialog), {
    wanted: () => ({ blur: options.blur, ...videoOptions.present }),
    place: (card) => list.insertBefore(card.element, batchEnd),
    leaving: passFocusOn,
    changed: showCount,
  });
}

function addChosen() {
  const { files } = byId("file");
  add([...files]);
  byId("file").value = ""; // so that the same file can be chosen again
}

/** Add files in their order, above what is there. */
async function add(files) {
  const chosen = [...files]; // the list may be emptied meanwhile
  const kinds = await Promise.all(chosen.map((file) => places.analyser.kindOf(file)));
  batchEnd = list.firstElementChild;
  batch += 1;
  const added = chosen.map((file, i) => (kinds[i] === "video" ? videos.add(file) : addPicture(file)));
  batchEnd = null;
  added[0]?.element.scrollIntoView({ block: "nearest" });
}

function addPicture(file) {
  const card = makeCard(file);
  card.batch = batch;
  list.insertBefore(card.element, batchEnd);
  enqueue(card);
  showCount();
  return card;
}

function makeCard(file, before) {
  const card = new PictureCard(byId("picture-card"), file, options, before);
  card.onRemove = () => remove([card], `Removed ${card.name}`);
  card.onRetry = () => enqueue(card);
  card.onOpen = () => lightbox.open(inOrder().filter(({ done }) => done), card);
  cards.push(card);
  return card;
}

/** The latest batch first, each in its own order. */
function inAddedOrder() {
  return cards.toSorted((a, b) => b.batch - a.batch);
}

/** The pictures as they stand in the page. */
const inOrder = () => [...list.children].map((element) => cards.find((card) => card.element === element)).filter(Boolean);

function enqueue(card) {
  card.wait();
  queue.push(card);
  if (!working) work();
}

/** One picture at a time: the server has other visitors too, and this device one engine. */
async function work() {
  working = true;
  for (let card = queue.shift(); card; card = queue.shift()) {
    if (!cards.includes(card)) continue;
    await card.analyse(places.analyser);
    if (card.done && cards.includes(card)) await keep(card);
    showCount();
  }
  working = false;
}

async function keep(card) {
  card.key = await kept.keep(card.file, card.answer);
}

connection.addEventListener("change", () => {
  if (connection.reachable) cards.filter((card) => card.interrupted).forEach(enqueue);
});

/** Take pictures out of the page, for good once the visitor has had time to undo it. */
function remove(leaving, words) {
  const places = leaving.map((card) => ({ card, next: card.element.nextElementSibling }));
  for (const card of leaving) {
    passFocusOn(card);
    card.abort?.();
    cards.splice(cards.indexOf(card), 1);
    card.element.remove();
  }
  showCount();
  leaving.forEach(({ key }) => key && kept.forget(key)); // at once: when the page is left, there may be no time
  undoable(words, {
    done: () => {},
    undone: () => {
      for (const { card, next } of places.reverse()) {
        list.insertBefore(card.element, next?.parentElement === list ? next : null);
        cards.push(card);
        if (card.answer) keep(card);
        else enqueue(card);
      }
      showCount();
    },
  });
}

/** Before a card goes, give the focus to the neighbour's button; else the keyboard would start again at the top. */
function passFocusOn({ element }) {
  const neighbour = element.nextElementSibling ?? element.previousElementSibling;
  (neighbour?.querySelector(".remove") ?? byId("choose")).focus();
}

function showCount() {
  const counts = [[cards.length, "picture"], [videos?.count ?? 0, "video"]].filter(([count]) => count > 0);
  const words = counts.map(([count, name]) => `${count} ${name}${count === 1 ? "" : "s"}`);
  byId("picture-tools").hidden = counts.length === 0;
  byId("picture-options").hidden = cards.length === 0;
  byId("columns").hidden = !cards.some(({ shown }) => shown.length) && !videos?.done;
  arrangement.update();
  if (videos) byId("report").hidden = videos.done === 0;
  byId("download-all").disabled = !cards.some(({ done }) => done);
  byId("picture-count").textContent = words.join(", ");
}

/** All annotated pictures and one table of all faces, as a ZIP file. */
async function downloadAll() {
  const done = inOrder().filter((card) => card.done);
  const names = new Map();
  const files = [];
  const rows = [["picture", ...FACE_COLUMNS]];
  for (const card of done) {
    const again = names.get(card.stem) ?? 0; // pictures may have the same name
    names.set(card.stem, again + 1);
    const stem = again ? `${card.stem} (${again + 1})` : card.stem;
    files.push({ name: `${stem} annotated.png`, input: await card.picture() });
    rows.push(...card.rows().map((row) => [stem, ...row]));
  }
  files.push({ name: "faces.csv", input: csv(rows) });
  const name = `expressions ${timestamp()}.zip`;
  download(await downloadZip(files).blob(), name);
  say(`Saved ${name}`);
}

byId("choose").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", addChosen);
byId("example").addEventListener("click", async () => {
  const answer = await connection.fetch(told.example).catch(() => null);
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

byId("clear").addEventListener("click", () => {
  remove(inOrder(), cards.length === 1 ? "Removed 1 picture" : `Removed ${cards.length} pictures`);
});
byId("download-all").addEventListener("click", downloadAll);
document.addEventListener("themechange", () => {
  videos?.recolour();
  cards.forEach((card) => card.draw());
});

async function restore() {
  for (const { key, file, answer } of await kept.all()) {
    const card = makeCard(file, { key, answer });
    card.batch = -1;
    list.append(card.element);
    await card.restore(places.analyser);
  }
  showCount();
}

// A page that is left takes along what the app does not have yet.
addEventListener("beforeunload", (event) => {
  if (working || videos?.sends) event.preventDefault();
});

restore();
videos?.resume();

if (byId("file").files.length) addChosen(); // before this script was there, over a slow network
