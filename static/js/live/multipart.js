/* Bodies of many parts, such as multipart/mixed, each part with its Content-Type and Content-Length. */

const HEADER_END = [13, 10, 13, 10];

/** Yield { type, bytes } for each part of a response's body, as soon as it is whole. */
export async function* parts(body) {
  let bytes = new Uint8Array(0);
  let header = null; // of the part whose content is awaited
  for await (const chunk of chunks(body)) {
    bytes = joined(bytes, chunk);
    for (;;) {
      if (!header) {
        const end = indexOf(bytes, HEADER_END);
        if (end < 0) break;
        header = headerOf(new TextDecoder().decode(bytes.subarray(0, end)));
        bytes = bytes.subarray(end + HEADER_END.length);
      }
      if (bytes.length < header.size) break;
      yield { type: header.type, bytes: bytes.slice(0, header.size) };
      bytes = bytes.subarray(header.size);
      header = null;
    }
  }
}

function headerOf(text) {
  const value = (name) => new RegExp(`${name}: *([^\\r\\n]+)`, "i").exec(text)?.[1];
  return { type: value("content-type"), size: Number(value("content-length")) };
}

/** Streams are async iterables in fewer browsers than they are streams. */
async function* chunks(body) {
  const reader = body.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function joined(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function indexOf(bytes, pattern) {
  for (let at = 0; at + pattern.length <= bytes.length; at++) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
