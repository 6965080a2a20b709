/* The worker in which private mode computes, so that the page stays smooth; engine.js calls it. */

import { Calls, serve } from "./calls.js";
import { FACE_SIDE } from "./crops.js";
import { download } from "./downloads.js";
import { Square } from "./geometry.js";
import { openClassifier, openYuNet, startRuntime } from "./network.js";
import { Pipeline } from "./pipeline.js";
import { emptyPicture } from "./pixels.js";
import { YuNet } from "./yunet.js";

let pipeline;
let canvas;

serve({
  /** Make ready: `files` by name with their addresses, `settings` as the page has them. */
  async load({ files, settings }) {
    const contents = await download(files, (share) => postMessage({ progress: share }));
    const search = await openSearch(contents);
    startRuntime(contents.runtime);
    const classify = await openClassifier(contents.network);
    await classify([emptyPicture(FACE_SIDE, FACE_SIDE, 1)]); // the first time takes longer
    pipeline = new Pipeline(new YuNet(await openYuNet(contents.yunet)), search, classify, settings);
  },

  async next({ bitmap, time }) {
    const { width, height } = bitmap;
    return { width, height, faces: await pipeline.next(pixels(bitmap), time) };
  },

  async still({ bitmap }) {
    const picture = pixels(bitmap);
    const { turned, faces } = await pipeline.still(picture);
    const [width, height] = turned % 180 ? [picture.height, picture.width] : [picture.width, picture.height];
    return { width, height, turned, faces };
  },

  compare({ id, rest }) {
    pipeline.compare(id, rest);
  },

  reset() {
    pipeline.reset();
  },
});

/** What finds faces in a frame in a worker of its own, as `FaceTracker` wants it. */
async function openSearch({ runtime, yunet }) {
  const worker = new Calls(new Worker(new URL("search-worker.js", import.meta.url), { type: "module" }));
  await worker.call("load", { runtime, yunet });
  return async (picture, smallest, known) => {
    const found = await worker.call("find", { picture, smallest, known });
    return found.map((detection) => ({ ...detection, face: Square.from(detection.face) }));
  };
}

/** The pixels of a bitmap, which is closed. */
function pixels(bitmap) {
  const { width, height } = bitmap;
  if (canvas?.width !== width || canvas?.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, channels: 4, data };
}
