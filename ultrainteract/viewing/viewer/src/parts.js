// Small things that every view uses.
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.js";

export const NAMES = {
  state: "State", task: "Task", dataset: "Dataset", depth: "Turns", pass_rate: "Pass rate, turn 1",
  model: "Model", evidence: "Evidence", reliability: "Reliability, lowest", origin: "Written by", guided: "Ladder",
  ended: "Ended", difficulty: "Difficulty", guard: "Guards", tag: "Tags",
};

export function Chip({ kind = "", title, children }) {
  return html`<span class=${`chip ${kind}`} title=${title}>${children}</span>`;
}

export function Problem({ text }) {
  return html`<p class="problem" role="alert">${text}</p>`;
}

export function Waiting({ text = "Reading…" }) {
  return html`<p class="waiting" role="status">${text}</p>`;
}

export const percent = (value, digits = 0) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)} %`);
export const dollars = (value) => (value === null || value === undefined ? "–" : value === 0 ? "$0" : value < 0.01 ? `$${value.toPrecision(2)}` : `$${value.toFixed(2)}`);
export const whole = (value) => (value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en"));
export const words = (name) => name.replaceAll("_", " ");

/** A dialog of the browser's own: focus stays inside, Escape closes it. */
export function Dialog({ title, close, children }) {
  const place = useRef();
  useEffect(() => { place.current.showModal(); }, []);
  return html`<dialog ref=${place} onClose=${close} aria-label=${title} onClick=${(event) => event.target === place.current && place.current.close()}>
    <header><h2>${title}</h2><button class="plain" onClick=${() => place.current.close()} aria-label="Close">✕</button></header>
    ${children}
  </dialog>`;
}

/** Bars: [{name, value, of, kind, title}]; `of` draws the whole behind the value. */
export function Bars({ rows, format = whole, label }) {
  const top = Math.max(...rows.map((row) => row.of ?? row.value), 1e-9);
  return html`<table class="bars" aria-label=${label}><tbody>${rows.map((row) => html`<tr key=${row.name}>
    <th scope="row">${row.name}</th>
    <td class="bar"><svg width="100%" height="14" preserveAspectRatio="none" viewBox="0 0 100 14" aria-hidden="true">
      ${row.of !== undefined && html`<rect x="0" y="1" height="12" rx="1" width=${(100 * row.of) / top} class="whole" />`}
      <rect x="0" y="1" height="12" rx="1" width=${(100 * row.value) / top} class=${row.kind || ""} />
    </svg></td>
    <td class="figure">${row.said ?? format(row.value)}</td></tr>`)}</tbody></table>`;
}

/** A table with numbers to the right. */
export function Table({ head, rows, label }) {
  return html`<div class="scrolled" tabindex="0" role="region" aria-label=${label}><table class="figures"><thead><tr>${head.map((name, n) => html`<th scope="col" class=${rows.some((row) => isFigure(row[n])) ? "figure" : ""}>${name}</th>`)}</tr></thead>
    <tbody>${rows.map((row, r) => html`<tr key=${r}>${row.map((cell, n) => html`<td key=${n} class=${isFigure(cell) ? "figure" : ""}>${typeof cell === "number" ? whole(cell) : cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

const isFigure = (cell) => typeof cell === "number" || /^[$–\d]/.test(cell);
