/* Large files, compressed as they are, with the progress of all together. */

/**
 * Fetch files by name: { name: address }; return their contents, uncompressed, by name. `onProgress(share)`: 0-1.
 * Throws an Error in words where one cannot be had.
 */
export async function download(addresses, onProgress) {
  const files = Object.entries(addresses);
  const answers = await Promise.all(files.map(([, address]) => request(address)));
  const total = answers.reduce((sum, { headers }) => sum + Number(headers.get("Content-Length") ?? 0), 0);
  let received = 0;
  const note = (bytes) => {
    received += bytes;
    onProgress(total ? Math.min(1, received / total) : 0);
  };
  const contents = await Promise.all(answers.map(({ body }) => content(body, note)));
  return Object.fromEntries(files.map(([name], i) => [name, contents[i]]));
}

async function request(address) {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) throw new Error("The files for this device could not be loaded. Check the connection, and try again.");
  return answer;
}

/** What a stream holds, uncompressed: some servers have done that already. */
async function content(stream, note) {
  const counted = stream.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        note(chunk.length);
        controller.enqueue(chunk);
      },
    }),
  );
  const bytes = new Uint8Array(await new Response(counted).arrayBuffer());
  const compressed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!compressed) return bytes;
  const plain = new Response(bytes).body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}
