/* Pictures that the visitor has added, kept in this browser while the tab is open: they are there again after a visit to
   another page. They never leave the browser for that, and those of tabs that are gone are deleted. */

import { recall, remember, sayNothingIsKept } from "../page/remembered.js";
import { Store } from "../page/store.js";

const SESSION = "session";
const OLDEST_MS = 12 * 3600 * 1000;

export class KeptPictures {
  constructor() {
    this.store = new Store("pictures");
    this.session = session();
  }

  /** What was kept in this tab, the oldest first: { key, file, answer }. */
  async all() {
    const records = await this.store.all();
    const old = Date.now() - OLDEST_MS;
    const stale = records.filter(({ owner, at }) => owner !== this.session && at < old);
    for (const { key } of stale) this.forget(key);
    return records.filter(({ owner }) => owner === this.session);
  }

  /** Keep a picture with the app's answer; return the key by which it is forgotten. */
  async keep(file, answer) {
    const key = await this.store.add({ owner: this.session, at: Date.now(), file, answer });
    if (key === null) sayNothingIsKept();
    return key;
  }

  forget(key) {
    return this.store.delete(key);
  }
}

/** This tab's random name, which ends with it. */
function session() {
  const inTab = () => sessionStorage;
  const name = recall(SESSION, null, inTab) ?? crypto.getRandomValues(new BigUint64Array(2)).join("-");
  remember(SESSION, name, inTab);
  return name;
}
