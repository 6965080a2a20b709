/* Pictures that this device analyses itself: they go no further than to a worker of this page. */

import { localBitmap } from "../pictures/bitmaps.js";
import { Interruption } from "../pictures/server-pictures.js";

const MAX_PIXELS = 16_000_000; // larger pictures are shrunk for the search; four times as many bytes are needed at once
const MIN_SIDE = 16; // pixels; in less, no face can be told

export class DevicePictures {
  /** `on`: progress(share) while loading; `elsewhere`: in words, how to have analysed what cannot be here. */
  constructor(engine, on, elsewhere) {
    Object.assign(this, { engine, on, elsewhere });
  }

  /** Always "picture": nothing else is analysed here, and its card says so. */
  async kindOf() {
    return "picture";
  }

  /** { width, height, turned, faces } and, if need be, a note, as the API has them; throws an Error in words, an Interruption where it may go well later. */
  async analyse(file) {
    const picture = await localBitmap(file);
    if (!picture) throw new Error(`${unreadable(file)} ${this.elsewhere}`.trim());
    const { width, height } = picture;
    if (Math.min(width, height) < MIN_SIDE) return { width, height, turned: 0, note: tooSmall(picture), faces: [] };
    try {
      await this.engine.load(this.on.progress);
      const answer = await this.engine.still(await fitting(picture));
      return scaled(answer, answer.turned % 180 ? [height, width] : [width, height]);
    } catch (error) {
      throw new Interruption(error.message);
    }
  }

  /** The picture in its full size, turned as it was analysed; null where the browser cannot read it. */
  bitmap(file, { turned }) {
    return localBitmap(file, turned);
  }
}

const tooSmall = ({ width, height }) => `The picture has only ${width} x ${height} pixels, too few for a face.`;

function unreadable({ type }) {
  if (type.startsWith("video/")) return "Videos cannot be analysed on this device.";
  return "This browser cannot read this file. Save it as a JPEG or PNG picture, and add it again.";
}

/** A bitmap of no more than MAX_PIXELS; the larger one is used up. */
async function fitting(picture) {
  const scale = Math.sqrt(MAX_PIXELS / (picture.width * picture.height));
  if (scale >= 1) return picture;
  const size = { resizeWidth: Math.round(scale * picture.width), resizeHeight: Math.round(scale * picture.height) };
  const small = await createImageBitmap(picture, { ...size, resizeQuality: "high" });
  picture.close();
  return small;
}

/** An answer about a picture of another size. */
function scaled(answer, [width, height]) {
  const scale = width / answer.width;
  if (scale === 1) return answer;
  const faces = answer.faces.map((face) => ({
    ...face,
    box: face.box.map((value) => Math.round(scale * value)),
    corners: face.corners.map((corner) => corner.map((value) => scale * value)),
  }));
  return { ...answer, width, height, faces };
}
