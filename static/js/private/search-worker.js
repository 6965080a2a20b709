/* The worker that searches whole frames for new faces, so that no frame waits for that; worker.js calls it. */

import { serve } from "./calls.js";
import { Square } from "./geometry.js";
import { openYuNet, startRuntime } from "./network.js";
import { YuNet } from "./yunet.js";

let detector;

serve({
  async load({ runtime, yunet }) {
    startRuntime(runtime, 1); // a search has time
    detector = new YuNet(await openYuNet(yunet));
  },

  find({ picture, smallest, known }) {
    return detector.find(picture, smallest, { thorough: false, known: known.map(Square.from) });
  },
});
