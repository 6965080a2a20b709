/* Pictures that the visitor has added, kept in this browser while the tab is open: they are there again after a visit to
   another page. They never leave the browser for that, and those of tabs that are gone are deleted. */

const DATABASE = "pictures";
const STORE = "pictures";
const SESSION = "session";
const OLDEST_MS = 12 * 3600 * 1000;

export class KeptPictures {
  /** Nothing is kept where the browser's storage cannot be used. */
  constructor() {
    this.database = open().catch(() => null);
    this.session = session();
  }

  /** What was kept in this tab, the oldest first: { key, file, answer }. */
  async all() {
    const records = (await this.#do("readonly", (store) => store.getAll())) ?? [];
    const old = Date.now() - OLDEST_MS;
    const stale = records.filter(({ owner, at }) => owner !== this.session && at < old);
    for (const { key } of stale) this.forget(key);
    return records.filter(({ owner }) => owner === this.session);
  }

  /** Keep a picture with the app's answer; return the key by which it is forgotten. */
  keep(file, answer) {
    return this.#do("readwrite", (store) => store.add({ owner: this.session, at: Date.now(), file, answer }));
  }

  forget(key) {
    return this.#do("readwrite", (store) => store.delete(key));
  }

  async #do(mode, act) {
    const database = await this.database;
    if (!database) return null;
    return promised(act(database.transaction(STORE, mode).objectStore(STORE))).catch(() => null);
  }
}

function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key", autoIncrement: true });
  return promised(request);
}

function promised(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** This tab's random name, which ends with it. */
function session() {
  try {
    const name = sessionStorage.getItem(SESSION) ?? crypto.getRandomValues(new BigUint64Array(2)).join("-");
    sessionStorage.setItem(SESSION, name);
    return name;
  } catch {
    return null;
  }
}
