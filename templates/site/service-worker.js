/* Keeps the whole site in the browser: it works without a network, and a new version replaces it as a whole. */

importScripts(...{{ scripts | tojson }});

const FILES = {{ kept | tojson }};
const HEADERS = {{ headers | tojson }};
const TYPES = {{ types | tojson }}; // some servers send what they do not know as plain text
const WORKER_POLICY = {{ worker_policy | tojson }};
const AGAIN = '<!doctype html><title>New version</title><link rel="icon" href="data:,"><p>The new version is getting ready …</p>';
const AGAIN_S = 1; // at once would leave no moment in which nothing is asked of this version, and it could not go

const { precaching, routing } = workbox;

/** What is kept gets the headers that the application would send: with them, pages are isolated, and workers may have threads. */
async function withHeaders({ request, response }) {
  const headers = new Headers({ ...Object.fromEntries(response.headers), ...HEADERS });
  const type = TYPES[/\.[^.]*$/.exec(new URL(request.url).pathname)?.[0]];
  if (type) headers.set("Content-Type", type);
  if (request.destination === "worker") headers.set("Content-Security-Policy", WORKER_POLICY);
  return new Response(response.body, { status: response.status, headers });
}

const controller = new precaching.PrecacheController({ plugins: [{ handlerWillRespond: withHeaders }] });
const kept = new precaching.PrecacheRoute(controller);

/** A new version waits until no page of this one is open but the one that is being loaded anew. */
async function renew({ request, url, event }) {
  const pages = await clients.matchAll({ type: "window" });
  if (pages.length > 1) return kept.handler.handle({ request, event, params: kept.match({ request, url }) });
  registration.waiting?.postMessage("take over"); // unless it has just done so
  return new Response(AGAIN, { headers: { "Content-Type": "text/html", Refresh: AGAIN_S } });
}

controller.precache(FILES);
precaching.cleanupOutdatedCaches();
routing.registerRoute(({ request }) => request.mode === "navigate" && registration.waiting, renew);
routing.registerRoute(kept);
addEventListener("message", ({ data }) => data === "take over" && skipWaiting());
addEventListener("activate", () => clients.claim());
