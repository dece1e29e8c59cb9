// Keeps the page up to date. The server renders; this only fetches the same page again when there is news and swaps the
// parts that are marked data-live. Nothing here ever turns text into markup. Without it the page works, by reloading.
import { age } from "./ages.js";
import { follow } from "./news.js";

const AT_MOST_EVERY_MS = 700;
const AGE_EVERY_MS = 20000;
const pill = document.getElementById("live");
const paged = new URLSearchParams(location.search).has("before");
let known = null; // the state of what the receiver knows that was last heard of
let wanted = false;
let busy = false;

const show = (tone, text) => {
  if (pill.textContent === text) return;
  pill.hidden = false;
  pill.className = `pill tone-${tone}`;
  pill.textContent = text;
};

const swap = (fresh) => {
  const holder = document.activeElement?.closest("a[href], button[id]");
  const focused = holder?.id || holder?.getAttribute("href");
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.getElementById(part.id);
    if (!now || now.outerHTML === part.outerHTML) continue;
    const rows = new Set([...part.querySelectorAll("li[id]")].map((row) => row.id));
    const held = focused && part.contains(document.activeElement);
    const next = document.importNode(now, true);
    for (const row of next.querySelectorAll("li[id]")) if (!rows.has(row.id)) row.classList.add("fresh");
    part.replaceWith(next);
    if (held) {
      const places = [...next.querySelectorAll("a[href], button[id]")];
      places.find((at) => at.id === focused || at.getAttribute("href") === focused)?.focus();
    }
  }
};

const refresh = () => {
  if (busy || document.hidden || !wanted || paged) return;
  wanted = false;
  busy = true;
  const request = new XMLHttpRequest();
  request.open("GET", location.href);
  request.responseType = "document"; // parsed, never run
  request.timeout = 10000;
  request.onload = () => { if (request.status === 200 && request.response) swap(request.response); };
  request.onerror = request.ontimeout = () => { wanted = true; };
  request.onloadend = () => setTimeout(() => { busy = false; refresh(); }, AT_MOST_EVERY_MS);
  request.send();
};

follow(
  (version) => {
    if (version === known) return;
    known = version;
    wanted = true;
    refresh();
  },
  (up) => (up ? show("good", "Live") : show("warn", "Receiver away, trying again")),
);
document.addEventListener("visibilitychange", refresh);
document.addEventListener("visibilitychange", age);
setInterval(age, AGE_EVERY_MS);
