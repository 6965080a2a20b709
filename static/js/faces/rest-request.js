/* Tells the app with what a face is compared: one of the server's video, or of the visitor's own camera. */

/** With a RestingFace, or with null no more; returns what stood in the way, in words, or null. `query`: { face, stream, camera }. */
export async function askToCompare(address, query, rest) {
  const method = rest ? "PUT" : "DELETE";
  const body = rest && JSON.stringify({ resting_face: rest.record() });
  try {
    const answer = await fetch(`${address}?${new URLSearchParams(query)}`, { method, headers: { "Content-Type": "application/json" }, body });
    return answer.ok ? null : (await answer.json()).error.message;
  } catch {
    return "The app does not answer. Try again.";
  }
}
