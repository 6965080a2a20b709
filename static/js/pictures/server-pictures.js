/* Pictures that the server analyses. */

import { answeredBitmap } from "./bitmaps.js";
import { LOST } from "../page/connection.js";
import { kindOf } from "./file-kind.js";

const PASSING = new Set([200, 401, 429, 500, 502, 503, 504]); // with these, the same picture may be taken later

/** What may go well the next time. */
export class Interruption extends Error {}

export class ServerPictures {
  /** `addresses`: { predict, annotate, kind } of the API; `connection` tells whether it can be reached. */
  constructor(addresses, connection) {
    Object.assign(this, { addresses, connection });
  }

  /** "picture" or "video". */
  kindOf(file) {
    return kindOf(file, this.addresses.kind);
  }

  /** The API's answer about a picture: { width, height, turned, faces }; throws an Error in words, an Interruption where it may go well later. */
  async analyse(file, signal) {
    const form = new FormData();
    form.append("image", file);
    let answer;
    try {
      answer = await this.connection.fetch(this.addresses.predict, { method: "POST", body: form, signal });
    } catch {
      throw new Interruption(LOST);
    }
    const content = await answer.json().catch(() => null);
    if (answer.ok && content) return content;
    const Kind = PASSING.has(answer.status) ? Interruption : Error;
    throw new Kind(content?.error?.message ?? `The app answered with error ${answer.status}.`);
  }

  /** The picture in its full size, as the API answered about it; null where it cannot be had. */
  bitmap(file, answer) {
    return answeredBitmap(file, answer, `${this.addresses.annotate}?marks=false`);
  }
}
