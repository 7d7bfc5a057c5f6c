// The list: search, facets with counts, lines.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { data, useData } from "./data.js";
import { useKeys } from "./keys.js";
import { Chip, NAMES, Problem, Waiting, percent, whole, words } from "./parts.js";
import { address, changed, go } from "./route.js";

export const PAGE = 50;
const FACETS = ["state", "task", "dataset", "depth", "pass_rate", "model", "evidence", "reliability", "origin", "guided", "ended", "difficulty", "guard", "tag"];
export const FILTERS = ["q", "sort", "marked", ...FACETS];
const FEW = 8;
const SORTS = [["order", "as recorded"], ["-order", "newest first"], ["-depth", "most turns"], ["pass_rate", "hardest first"], ["-pass_rate", "easiest first"], ["-pairs", "most pairs"], ["-length", "longest"]];
const ORDER = { pass_rate: ["none right", "up to 25 %", "25 to 50 %", "50 to 75 %", "75 to 99 %", "all right", "unknown"], reliability: ["1", "0.99 to 1", "0.95 to 0.99", "0.9 to 0.95", "below 0.9"] };

/** The part of an address that says what is listed. */
export function listed(query) {
  const made = new URLSearchParams();
  for (const name of FILTERS) for (const value of query.getAll(name)) made.append(name, value);
  return made;
}

export function List({ route, live }) {
  const { collection, query } = route;
  const offset = Number(query.get("offset") || 0);
  const asked = changed(listed(query), { offset, limit: PAGE });
  const found = useData(() => data.trees(collection, asked.toString()), [collection, asked.toString(), live]);
  const [at, move] = useState(0);
  const [filtersShown, showFilters] = useState(false);
  const lines = found.value?.lines || [];
  const rows = useRef([]);
  useEffect(() => move(0), [asked.toString()]);
  const set = (changes, options) => go({ ...route, query: changed(query, { offset: null, ...changes }) }, options);
  const turn = (by) => {
    const next = offset + by * PAGE;
    if (next >= 0 && next < (found.value?.matched ?? 0)) set({ offset: next || null });
  };
  const step = (by) => {
    const next = Math.max(0, Math.min(lines.length - 1, at + by));
    move(next);
    rows.current[next]?.focus();
  };
  useKeys({
    j: () => step(1), k: () => step(-1), "]": () => turn(1), "[": () => turn(-1), f: () => showFilters(!filtersShown),
    Enter: () => lines[at] && go({ collection, view: "tree", key: lines[at].key, query: listed(query) }),
  }, [asked.toString(), lines, at, filtersShown]);
  const chosen = FACETS.flatMap((name) => query.getAll(name).map((value) => [name, value]));
  return html`<main class="list">
    <aside class=${filtersShown ? "shown" : ""} aria-label="Filters">
      <${Facets} facets=${found.value?.facets || {}} query=${query} set=${set} />
    </aside>
    <section>
      <div class="search">
        <${Search} value=${query.get("q") || ""} search=${(q) => set({ q }, { replace: true })} />
        <label class="sort"><span>Sort</span><select value=${query.get("sort") || "order"} onChange=${(event) => set({ sort: event.target.value === "order" ? null : event.target.value })}>
          ${SORTS.map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select></label>
        <button class="filters" aria-expanded=${filtersShown} onClick=${() => showFilters(!filtersShown)}>Filters${chosen.length ? ` (${chosen.length})` : ""}</button>
      </div>
      <p class="matched" role="status">
        ${found.value && html`<b>${whole(found.value.matched)}</b> ${found.value.matched === 1 ? "input" : "inputs"}`}
        ${found.value && !found.value.whole && html` · ${whole(found.value.indexed)}${found.value.total ? ` of ${whole(found.value.total)}` : ""} indexed`}
        ${chosen.map(([name, value]) => html`<button class="picked" key=${name + value} aria-label=${`Remove the filter ${NAMES[name]} ${words(value)}`} onClick=${() => set({ [name]: query.getAll(name).filter((other) => other !== value) })}>${words(value)} ✕</button>`)}
        ${chosen.length > 1 && html`<button class="plain" onClick=${() => set(Object.fromEntries(FACETS.map((name) => [name, null])))}>clear all</button>`}
      </p>
      ${found.error && html`<${Problem} text=${found.error} />`}
      ${found.value?.error && html`<${Problem} text=${found.value.error} />`}
      ${!found.value && found.loading && html`<${Waiting} />`}
      ${found.value && !lines.length && html`<p class="nothing">${found.value.whole ? "Nothing matches." : "Nothing is indexed yet."}</p>`}
      <ol class="lines" start=${offset + 1}>${lines.map((line, place) => html`<li key=${line.key}>
        <a href=${address({ collection, view: "tree", key: line.key, query: listed(query) })} class=${place === at ? "at" : ""}
          ref=${(element) => { rows.current[place] = element; }} onFocus=${() => move(place)}><${Line} line=${line} /></a></li>`)}</ol>
      ${found.value?.matched > PAGE && html`<nav class="pages" aria-label="Pages">
        <button onClick=${() => turn(-1)} disabled=${!offset}>← Previous</button>
        <span>${whole(offset + 1)} to ${whole(Math.min(offset + PAGE, found.value.matched))} of ${whole(found.value.matched)}</span>
        <button onClick=${() => turn(1)} disabled=${offset + PAGE >= found.value.matched}>Next →</button></nav>`}
    </section>
  </main>`;
}

function Line({ line }) {
  const { one } = line;
  return html`<span class="title" dir="auto">${line.title || line.source}</span>
    <span class="about"><${Chip} kind=${one.state}>${words(one.state)}<//>
      ${one.task && html`<span>${words(one.task)}</span>`}<span>${one.dataset}</span>
      ${one.depth && html`<span>${one.depth} ${one.depth === "1" ? "turn" : "turns"}</span>`}
      ${line.pairs > 0 && html`<span>${line.pairs} ${line.pairs === 1 ? "pair" : "pairs"}</span>`}
      ${one.difficulty && html`<span class="minor">${one.difficulty}</span>`}
      ${one.guided === "guided" && html`<${Chip}>guided<//>`}
      ${one.origin === "simulated" && html`<${Chip}>simulated<//>`}</span>
    <span class="rate" title="Pass rate of turn 1">${line.rate !== null && line.rate !== undefined && html`<svg width="64" height="8" viewBox="0 0 64 8" aria-hidden="true"><rect class="whole" width="64" height="8" rx="2" /><rect width=${64 * line.rate} height="8" rx="2" /></svg>${percent(line.rate)}`}</span>`;
}

function Search({ value, search }) {
  const [text, set] = useState(value);
  const timer = useRef();
  useEffect(() => set(value), [value]);
  const type = (event) => {
    set(event.target.value);
    clearTimeout(timer.current);
    timer.current = setTimeout(search, 180, event.target.value);
  };
  return html`<input id="search" type="search" placeholder='Search problems, actions, critiques … "side by side", begin*' aria-label="Search all texts"
    value=${text} onInput=${type} onKeyDown=${(event) => event.key === "Enter" && (clearTimeout(timer.current), search(text), event.target.blur())} />`;
}

function Facets({ facets, query, set }) {
  return FACETS.map((name) => html`<${Facet} key=${name} name=${name} counts=${facets[name] || {}} chosen=${query.getAll(name)} set=${set} />`);
}

function Facet({ name, counts, chosen, set }) {
  const [all, showAll] = useState(false);
  for (const value of chosen) counts[value] ??= 0;
  const place = (value) => ORDER[name]?.indexOf(value) ?? (name === "depth" ? Number(value) : 0);
  const values = Object.entries(counts).sort(([a, n], [b, m]) => place(a) - place(b) || m - n || a.localeCompare(b));
  if (!values.length || (values.length === 1 && !chosen.length)) return null;
  return html`<fieldset><legend>${NAMES[name]}</legend>
    ${values.slice(0, all ? 200 : FEW).map(([value, count]) => html`<label key=${value}><input type="checkbox" checked=${chosen.includes(value)}
      onChange=${(event) => set({ [name]: event.target.checked ? [...chosen, value] : chosen.filter((other) => other !== value) })} />
      <span class="value">${words(value)}</span><span class="count">${whole(count)}</span></label>`)}
    ${values.length > FEW && html`<button class="plain" onClick=${() => showAll(!all)}>${all ? "fewer" : `${values.length - FEW} more`}</button>`}
  </fieldset>`;
}
