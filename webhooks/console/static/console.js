// Everything works without this. With it the overview keeps itself fresh or says that it could not, and some
// buttons ask before they act.
"use strict";

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    const dry = event.submitter && event.submitter.name === "dry_run";
    if (!dry && !window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

const live = document.querySelector("[data-live]");
const period = 1000 * Number(live?.dataset.live);

async function read() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(period) });
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

function complain() {
  live.querySelector(".stale").hidden = false;
  live.querySelector(".well")?.remove();
}

async function refresh() {
  if (document.hidden) return;
  const page = await read().catch(() => null);
  const fresh = page?.querySelector("[data-live]");
  const inUse = live.querySelector("details[open]") || live.contains(document.activeElement);
  if (!page) complain();
  else if (!fresh) location.reload();
  else if (inUse) live.querySelector(".verdict").replaceWith(fresh.querySelector(".verdict"));
  else live.replaceChildren(...fresh.childNodes);
}

if (live) setInterval(refresh, period);
