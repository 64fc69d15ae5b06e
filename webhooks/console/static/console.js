// Everything works without this. With it the overview keeps itself fresh, and some buttons ask before they act.
"use strict";

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    const dry = event.submitter && event.submitter.name === "dry_run";
    if (!dry && !window.confirm(form.dataset.confirm)) event.preventDefault();
  });
}

const live = document.querySelector("[data-live]");

async function refresh() {
  if (document.hidden || live.querySelector("details[open]")) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (!fresh) location.reload();
  else if (!live.contains(document.activeElement)) live.replaceChildren(...fresh.childNodes);
}

if (live) setInterval(refresh, 1000 * Number(live.dataset.live));
