/* A store of this browser's database, for records with a key of its own making; without one, where it may not be used,
   nothing is kept. */

export class Store {
  constructor(name) {
    this.name = name;
    this.database = open(name).catch(() => null);
  }

  /** All records, the oldest first. */
  async all() {
    return (await this.#do("readonly", (records) => records.getAll())) ?? [];
  }

  /** Keep a record; its key, null where it cannot be kept. */
  add(record) {
    return this.#do("readwrite", (records) => records.add(record));
  }

  delete(key) {
    return this.#do("readwrite", (records) => records.delete(key));
  }

  async #do(mode, act) {
    const database = await this.database;
    if (!database) return null;
    const transaction = database.transaction(this.name, mode);
    const done = promised(act(transaction.objectStore(this.name))).catch(() => null);
    transaction.commit(); // at once: the page may be about to go
    return done;
  }
}

async function open(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(name, { keyPath: "key", autoIncrement: true });
  return promised(request);
}

function promised(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
