/* One report on all of the visitor's videos, made by the app when it is asked for. */

import { LOST } from "../page/connection.js";
import { download, timestamp } from "../page/files.js";
import { say } from "../page/toasts.js";

const PATIENCE_MS = 120_000;
const WORKING = "Making the report …";

/** Let a button save the report that is at `address`; it is off, and says so, while the app makes it. */
export function tieReport(button, address, connection) {
  const words = button.querySelector("span");
  const usual = words.textContent;
  button.addEventListener("click", async () => {
    button.disabled = true;
    words.textContent = WORKING;
    await save(address, connection).catch(() => say(LOST));
    words.textContent = usual;
    button.disabled = false;
  });
}

async function save(address, connection) {
  const answer = await connection.fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) return say((await answer.json()).error.message);
  const name = `expressions ${timestamp()}.html`;
  download(await answer.blob(), name);
  say(`Saved ${name}`);
}
