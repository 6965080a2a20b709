/* Methods of a worker that whoever started it calls by name, and that answer one after the other. */

export class Calls {
  calls = new Map();
  last = 0;

  constructor(worker) {
    this.worker = worker;
    worker.addEventListener("message", ({ data }) => this.#hear(data));
  }

  /** What a method of the worker returns; an Error with the words of what it throws. */
  call(method, argument, transfer = []) {
    const call = ++this.last;
    return new Promise((resolve, reject) => {
      this.calls.set(call, { resolve, reject });
      this.worker.postMessage({ call, method, argument }, transfer);
    });
  }

  /** End the worker; what was asked is answered with these words. */
  end(words) {
    this.worker.terminate();
    this.calls.forEach(({ reject }) => reject(new Error(words)));
    this.calls.clear();
  }

  #hear({ call, result, error }) {
    if (!call) return; // other news
    const { resolve, reject } = this.calls.get(call);
    this.calls.delete(call);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  }
}

/** Answer, in a worker, what is called: one after the other, for what is followed from frame to frame has an order. */
export function serve(methods) {
  let last = Promise.resolve();
  addEventListener("message", ({ data: { call, method, argument } }) => {
    last = last.then(async () => {
      try {
        postMessage({ call, result: await methods[method](argument) });
      } catch (error) {
        postMessage({ call, error: error.message });
      }
    });
  });
}
