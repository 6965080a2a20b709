/* What a file is: the app decides by its content, since browsers go by names and know few. */

const HEAD = 1 << 18; // bytes; enough even to tell MJPEG videos from JPEG pictures

/** Return "picture" or "video"; a picture where the app does not answer, for its card says so and may be tried again. */
export async function kindOf(file, address) {
  const request = { method: "POST", body: file.slice(0, HEAD), headers: { "Content-Type": "application/octet-stream" } };
  const answer = await fetch(address, request).catch(() => null);
  return answer?.ok ? (await answer.json()).kind : "picture";
}
