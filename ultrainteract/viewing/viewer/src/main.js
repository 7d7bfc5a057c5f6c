// The page: what is shown is named by the address, what is known comes from data.js.
import "katex/dist/katex.css";
import "./style.css";
import { useEffect, useState } from "preact/hooks";
import { html, render } from "./html.js";
import { data, useData } from "./data.js";
import { LISTED, useKeys } from "./keys.js";
import { List, listed } from "./list.js";
import { Audit } from "./audit.js";
import { Overview } from "./overview.js";
import { Dialog, Problem, Waiting } from "./parts.js";
import { address, go, useRoute } from "./route.js";
import { Tree } from "./tree.js";

const LIVE_MS = 2_000;
const THEMES = ["light", "dark"];

function Page() {
  const route = useRoute();
  const library = useData(() => data.library(), []);
  const [help, showHelp] = useState(false);
  const [tick, set] = useState(0);
  const collection = library.value?.collections[route.collection];
  useEffect(() => { if (library.value?.first && !location.hash) location.replace(library.value.first); }, [library.value]);
  const live = useData(() => (collection && collection.run ? data.live(route.collection) : null), [route.collection, collection, tick]);
  const isLive = Boolean(live.value?.live) || (live.value && live.value.whole === false);
  useEffect(() => {
    if (!isLive || data.isStatic) return;
    const timer = setTimeout(() => set(tick + 1), LIVE_MS);
    return () => clearTimeout(timer);
  }, [isLive, tick, live.value]);
  const count = library.value?.collections.length || 1;
  useKeys({
    "?": () => showHelp(true),
    "/": () => {
      const box = document.getElementById("search");
      if (box) box.focus();
      else {
        go({ collection: route.collection, view: "trees", query: listed(route.query) });
        setTimeout(() => document.getElementById("search")?.focus(), 60);
      }
    },
    g: () => go({ collection: route.collection, view: "overview" }),
    l: () => go({ collection: route.collection, view: "trees", query: listed(route.query) }),
    n: () => count > 1 && go({ ...route, collection: (route.collection + 1) % count }),
    y: toggleTheme,
  }, [route, count]);
  useEffect(() => {
    document.title = [route.key.slice(0, 8), collection?.name, "UltraInteract"].filter(Boolean).join(" · ");
  }, [route.key, collection]);
  if (library.error) return html`<${Problem} text=${library.error} />`;
  if (!library.value) return html`<${Waiting} />`;
  if (!collection) return html`<${Problem} text="There is no such collection." />`;
  const View = { tree: Tree, overview: Overview, audit: Audit }[route.view] || List;
  return html`<header class="top">
      <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.querySelector("main")?.focus(); }}>Skip to content</a>
      <strong class="name">UltraInteract</strong>
      ${count > 1
        ? html`<select class="collections" aria-label="Collection" value=${route.collection} onChange=${(event) => go({ ...route, collection: Number(event.target.value) })}>
          ${library.value.collections.map((item, n) => html`<option value=${n}>${item.name}</option>`)}</select>`
        : html`<span class="collection" title=${collection.place}>${collection.name}</span>`}
      <nav aria-label="Views">
        ${[["overview", "Overview"], ["trees", "Trees"], ...(collection.audit ? [["audit", "Audit"]] : [])].map(([view, name]) => html`
          <a href=${address({ collection: route.collection, view, query: view === "trees" ? listed(route.query) : undefined })} aria-current=${(route.view === "tree" ? "trees" : route.view) === view ? "page" : undefined}>${name}</a>`)}
      </nav>
      ${live.value?.live && html`<${Pace} live=${live.value} />`}
      <span class="room"></span>
      <button class="plain" onClick=${toggleTheme} aria-label="Light or dark" title="Light or dark (y)">◐</button>
      <button class="plain" onClick=${() => showHelp(true)} aria-label="Keys" title="Keys (?)">?</button>
    </header>
    <${View} key=${route.collection} route=${route} library=${library.value} live=${live.value} />
    ${help && html`<${Dialog} title="Keys" close=${() => showHelp(false)}><div class="keys">${LISTED.map(([where, keys]) => html`<section key=${where}><h3>${where}</h3>
      <dl>${keys.map(([key, what]) => html`<div key=${key}><dt>${key.split(" ").map((one) => (one === "…" ? " … " : html`<kbd>${one}</kbd>`))}</dt><dd>${what}</dd></div>`)}</dl></section>`)}</div><//>`}`;
}

function Pace({ live }) {
  const done = Object.values(live.states).reduce((sum, n) => sum + n, 0);
  const cost = live.spend.reduce((sum, item) => sum + item.cost, 0);
  return html`<span class="pace" role="status"><i></i>running · ${done.toLocaleString("en")}${live.inputs ? ` of ${live.inputs.toLocaleString("en")}` : ""}
    ${live.per_second !== null ? ` · ${live.per_second.toFixed(1)}/s` : ""}${cost ? ` · $${cost.toFixed(2)}` : ""}</span>`;
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = THEMES[dark ? 0 : 1];
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* a page that may keep nothing */ }
}

try {
  const kept = localStorage.getItem("theme");
  if (THEMES.includes(kept)) document.documentElement.dataset.theme = kept;
} catch { /* a page that may keep nothing */ }
render(html`<${Page} />`, document.getElementById("page"));
