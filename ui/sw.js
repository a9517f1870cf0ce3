// Keeps the pages of the wallet, so that they open without a network. It keeps what every visitor gets, never what belongs to a
// person: paths of the hospitals' services are left alone.
//
// The network comes first: a page is taken from here only when its hospital does not answer. What is kept is one whole set,
// fetched after a page has started well, so that a half-loaded update never mixes with an older one.

const PREFIX = "amulet-pages-";
const COMPLETE = "/complete";
const NOT_PAGES = ["/api/", "/demo/", "/fhir", "/shl/", "/metrics"];
// A page has about twenty files.
const FILES_MAX = 100;
// A hospital that is this slow is as good as away, if the page is here.
const PATIENCE_MS = 5000;

// Pages that came from here; their files do too.
const away = new Set();

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const { keep } = event.data ?? {};
  if (Array.isArray(keep) && keep.length <= FILES_MAX) event.waitUntil(keepAll(keep.filter(isOurs)));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin || !isOurs(url.pathname)) return;
  event.respondWith(event.request.mode === "navigate" ? page(event) : file(event, url.pathname));
});

function isOurs(path) {
  return typeof path === "string" && path.startsWith("/") && !NOT_PAGES.some((start) => path.startsWith(start));
}

async function page(event) {
  const kept = await find("/");
  try {
    const answer = kept ? await inTime(fetch(event.request)) : await fetch(event.request);
    if (answer.ok || !kept) return answer;
  } catch (error) {
    if (!kept) throw error;
  }
  away.add(event.resultingClientId);
  return kept;
}

async function file(event, path) {
  if (away.has(event.clientId)) {
    const kept = await find(path);
    if (kept) return kept;
  }
  try {
    return await fetch(event.request);
  } catch (error) {
    const kept = await find(path);
    if (kept) return kept;
    throw error;
  }
}

function inTime(answer) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("late")), PATIENCE_MS));
  return Promise.race([answer, late]);
}

async function find(path) {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    if (name.startsWith(PREFIX) && (await cache.match(COMPLETE))) return cache.match(path);
  }
  return undefined;
}

async function keepAll(paths) {
  const name = PREFIX + Date.now();
  const cache = await caches.open(name);
  try {
    // All or nothing; what has not changed is not sent again.
    await cache.addAll(paths.map((path) => new Request(path, { cache: "no-cache" })));
  } catch {
    await caches.delete(name);
    return;
  }
  await cache.put(COMPLETE, new Response());
  const others = (await caches.keys()).filter((other) => other.startsWith(PREFIX) && other !== name);
  await Promise.all(others.map((other) => caches.delete(other)));
}
