/* JSON from the app for those who ask again and again, so that one answer that does not come matters little. */

const PATIENCE_MS = 10_000;

/** What is at the address, or null where it cannot be had now. */
export async function fetchJson(address) {
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
