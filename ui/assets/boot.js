// The only hand-written script: the content security policy forbids inline ones, so the page starts from here.
import start from "../amulet-ui.js";

// Text size is applied before the first paint, so that large type does not jump into place.
const size = localStorage.getItem("amulet.text-size");
if (size === "large" || size === "larger") document.documentElement.dataset.text = size;

// The dark colours are a file of their own, in force when the system or the person wants them.
const theme = localStorage.getItem("amulet.theme");
const media = { light: "not all", dark: "all" }[theme];
if (media) document.getElementById("dark").media = media;

// App switchers and whoever looks over a shoulder see a cover, not the page, while another app or tab is in front.
const cover = () => document.documentElement.toggleAttribute("data-covered", document.hidden);
document.addEventListener("visibilitychange", cover);

// In a browser the pages are kept for when there is no network; the window has them in its program.
const keepPages = async () => {
  if (!("serviceWorker" in navigator) || "__TAURI_INTERNALS__" in window) return;
  const at = (path) => new URL(path, import.meta.url);
  await navigator.serviceWorker.register(at("../sw.js"), { scope: at("../").pathname });
  const { active } = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType("resource").map((entry) => new URL(entry.name));
  const own = files.filter((url) => url.origin === location.origin).map((url) => url.pathname);
  active.postMessage({ keep: [...new Set(["/", "/network.json", ...own])] });
};

start().then(() => keepPages().catch(console.warn), (error) => {
  console.error(error);
  document.getElementById("splash").textContent = "Amulet could not start in this browser. 无法在此浏览器中启动。";
});
