// What stands beside a tree: every sample that was drawn, the rows that each export makes of it, the record itself.
import { useMemo, useState } from "preact/hooks";
import { html } from "./html.js";
import { data, useData } from "./data.js";
import { Chip, Problem, Waiting, whole } from "./parts.js";
import { Text } from "./text.js";

const FIRST = 30;

export function Drawn({ collection, id, tree }) {
  const found = useData(() => data.drawn(collection, id), [collection, id]);
  const [only, setOnly] = useState(false);
  const [limit, setLimit] = useState(FIRST);
  const kept = useMemo(() => {
    const texts = new Set();
    for (const turn of tree.turns) {
      for (const node of [turn.correct, turn.incorrect, ...(turn.extra || []).flatMap((pair) => [pair.chosen, pair.rejected])]) {
        if (!node) continue;
        texts.add(node.action.raw);
        for (const exchange of node.action.exchanges || []) texts.add(exchange.raw);
        if (node.critique) texts.add(node.critique.text);
      }
    }
    return texts;
  }, [tree]);
  if (found.error) return html`<section class="card"><p>${found.error}</p></section>`;
  if (!found.value) return html`<${Waiting} text="Growing the tree once more over its record…" />`;
  const samples = found.value.map((sample) => ({ ...sample, kept: kept.has(sample.text) }));
  const shown = only ? samples.filter((sample) => !sample.kept) : samples;
  return html`<section class="drawn"><p class="matched"><b>${whole(samples.length)}</b> samples, ${whole(samples.filter((sample) => sample.kept).length)} of them in the tree
      <label><input type="checkbox" checked=${only} onChange=${(event) => setOnly(event.target.checked)} /> only those not kept</label></p>
    ${shown.slice(0, limit).map((sample, n) => html`<article class=${`node ${sample.kept ? "kept" : ""}`} key=${n}><header>
        <span class="label">Turn ${sample.turn} · ${sample.step}</span><span class="model">${sample.model}</span><span class="minor">sample ${sample.ordinal + 1}</span>
        ${sample.kept && html`<${Chip} kind="complete">kept<//>`}${sample.refused && html`<${Chip} kind="failed">refused<//>`}
        <span class="room"></span><span class="minor">${whole(sample.tokens)} tokens${sample.finish_reason && sample.finish_reason !== "stop" ? ` · ${sample.finish_reason}` : ""}</span></header>
      ${sample.reasoning && html`<details class="reasoning"><summary>Reasoning</summary><${Text} text=${sample.reasoning} raw=${true} /></details>`}
      <${Text} text=${sample.refused || sample.text} raw=${true} />
      <footer><details><summary>conversation as sent, ${sample.messages.length} ${sample.messages.length === 1 ? "message" : "messages"}</summary>
        <${Talk} messages=${sample.messages} /></details></footer></article>`)}
    ${shown.length > limit && html`<p class="window"><button onClick=${() => setLimit(limit + 100)}>Show more: ${limit} of ${whole(shown.length)} are shown</button></p>`}</section>`;
}

function Talk({ messages }) {
  return html`<ol class="talk">${messages.map((message, n) => html`<li key=${n}><div class=${message.role}><span class="said">${message.role}</span><${Text} text=${message.content} raw=${true} /></div></li>`)}</ol>`;
}

export function Exported({ collection, id, formats, query, set }) {
  const format = query.get("format") || formats[0];
  const found = useData(() => data.exported(collection, id, format), [collection, id, format]);
  return html`<section class="exported"><p class="matched"><label>Format <select value=${format} onChange=${(event) => set({ format: event.target.value })}>${formats.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
      ${found.value && html`<span><b>${whole(found.value.length)}</b> ${found.value.length === 1 ? "row" : "rows"}</span>`}</p>
    ${found.error && html`<${Problem} text=${found.error} />`}
    ${found.loading && !found.value && html`<${Waiting} />`}
    ${found.value?.length === 0 && html`<p class="nothing">This tree gives no row of this format.</p>`}
    ${(found.value || []).slice(0, 50).map((row, n) => html`<article class="node" key=${format + n}><header><span class="label">Row ${n + 1}</span></header>
      <dl class="row">${Object.entries(row).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${isTalk(value) ? html`<${Talk} messages=${value.map((one) => ({ role: one.role ?? one.from, content: one.content ?? one.value }))} />`
        : typeof value === "string" ? html`<${Text} text=${value} raw=${true} />` : html`<code>${JSON.stringify(value)}</code>`}</dd></div>`)}</dl></article>`)}</section>`;
}

const isTalk = (value) => Array.isArray(value) && value.length > 0 && value.every((one) => typeof (one?.content ?? one?.value) === "string" && (one.role ?? one.from));

export function Record({ tree }) {
  const text = useMemo(() => JSON.stringify(tree, null, 2), [tree]);
  return html`<section class="card"><${Text} text=${text} language=${text.length < 20000 ? "json" : ""} raw=${text.length >= 20000} /></section>`;
}
