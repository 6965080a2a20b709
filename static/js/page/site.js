/* The static site's service worker, which keeps the site in this browser. */

import { say } from "./toasts.js";

const { serviceWorker } = navigator;

async function keep() {
  const first = !serviceWorker.controller;
  await serviceWorker.register(document.getElementById("site-script").dataset.worker);
  await serviceWorker.ready;
  if (first) say("This page is kept in your browser: it works without a network from now on");
}

// Without it, as at an address that is not secure, the site works for as long as there is a network.
if (serviceWorker) addEventListener("load", () => keep().catch(() => {}));
