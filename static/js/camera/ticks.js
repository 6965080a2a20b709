/* A worker whose timer goes on while its page is hidden. */

const EVERY_MS = 100;

setInterval(() => postMessage(null), EVERY_MS);
