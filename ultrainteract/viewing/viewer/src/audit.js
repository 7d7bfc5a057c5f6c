// A sampled audit: an action without its verdict, until it was judged; then both, and the estimate so far.
import { useEffect, useState } from "preact/hooks";
import { html } from "./html.js";
import { data, useData } from "./data.js";
import { useKeys } from "./keys.js";
import { Chip, Problem, Waiting, percent, whole, words } from "./parts.js";
import { changed, go } from "./route.js";
import { Text } from "./text.js";

const ANSWERS = [["correct", "Right"], ["wrong", "Wrong"], ["unsure", "Cannot tell"]];

export function Audit({ route }) {
  const { collection, query } = route;
  const [version, set] = useState(0);
  const audit = useData(() => data.audit(collection), [collection, version]);
  const items = audit.value?.items || [];
  const next = items.findIndex((item) => !item.answer);
  const place = query.has("item") ? Number(query.get("item")) : Math.max(0, next);
  const shown = useData(() => (items.length && !data.isStatic ? data.auditItem(collection, place).then((item) => ({ ...item, place })) : null), [collection, place, version, items.length]);
  const current = shown.value?.place === place ? shown.value : null; // never judge what is not on the page yet
  const [error, setError] = useState("");
  const to = (number) => go({ ...route, query: changed(query, { item: String(Math.max(0, Math.min(items.length - 1, number))) }) });
  const judge = (answer) => current && !current.gone && !data.isStatic && data.judge(collection, { place: String(place), answer }).then(() => set(version + 1), (why) => setError(why.message));
  useKeys({
    ...Object.fromEntries(ANSWERS.map(([answer], n) => [String(n + 1), () => judge(answer)])),
    Enter: () => to(items.findIndex((item, n) => n > place && !item.answer) >= 0 ? items.findIndex((item, n) => n > place && !item.answer) : place + 1),
    j: () => to(place + 1), k: () => to(place - 1),
  }, [items, place, current, version]);
  useEffect(() => { if (items.length && !query.has("item")) go({ ...route, query: changed(query, { item: String(place) }) }, { replace: true }); }, [items.length]);
  if (audit.error) return html`<main><${Problem} text=${audit.error} /></main>`;
  if (!audit.value) return html`<main><${Waiting} /></main>`;
  if (!items.length) return html`<main tabindex="-1"><section class="card"><h1>No audit yet</h1><p>Start one with <code>ultrainteract view RUN --audit 100</code>: actions are drawn at random from each task, label and check, and you judge them without seeing their labels.</p></section></main>`;
  const done = items.filter((item) => item.answer).length;
  const { instruction, node, verdict, answer } = current || {};
  return html`<main class="audit" tabindex="-1">
    <h1 class="unseen">Audit</h1>
    <${Estimate} estimate=${audit.value.estimate} items=${items} done=${done} />
    ${error && html`<${Problem} text=${error} />`}
    ${shown.error && html`<${Problem} text=${shown.error} />`}
    ${current?.gone && html`<section class="card"><p>This action is no longer in its tree, which was grown anew.</p></section>`}
    ${node && html`<div class="couple single"><section class="card instruction" aria-label="Instruction">
        <p class="about"><span>Action ${place + 1} of ${items.length}</span><span>${words(instruction.task)}</span><span>${instruction.dataset}</span></p>
        <${Text} text=${instruction.question || ""} raw=${Boolean(query.get("raw"))} />
        <dl class="facts">${[["Gold", instruction.gold ?? (instruction.gold_set || []).join(", ")], ["Unit", instruction.unit]].filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><${Text} text=${String(value)} raw=${true} compact=${true} /></dd></div>`)}</dl>
        ${(instruction.tests || []).map((test, n) => html`<div class="test" key=${n}><${Text} compact=${true} raw=${true} text=${test.input} /><span>→</span><${Text} compact=${true} raw=${true} text=${test.expected} /></div>`)}
      </section>
      <article class=${`node ${answer ? (verdict.label === "correct" ? "chosen" : "rejected") : ""}`} aria-label="Action">
        <header><span class="label">Action</span><span class="room"></span>
          ${ANSWERS.map(([name, text], n) => html`<button key=${name} aria-pressed=${answer === name} onClick=${() => judge(name)}><kbd>${n + 1}</kbd>${text}</button>`)}</header>
        ${(node.action.exchanges || []).map((exchange, n) => html`<div class="exchange" key=${n}><${Text} text=${exchange.text} /><div class="output"><span class="said">Tool</span><${Text} text=${exchange.output} raw=${true} /></div></div>`)}
        <${Text} text=${node.action.text} raw=${Boolean(query.get("raw"))} />
        ${node.observation?.output && html`<div class="output"><span class="said">Environment</span><${Text} text=${node.observation.output} raw=${true} /></div>`}
        ${answer && html`<footer role="status"><span class=${`label ${verdict.label}`}>Label: ${verdict.label}</span>
          <${Chip} kind=${answer === "unsure" ? "" : answer === verdict.label ? "complete" : "failed"}>${answer === "unsure" ? "not counted" : answer === verdict.label ? "you agree" : "you disagree"}<//>
          ${verdict.evidence && html`<span>${words(verdict.evidence.check)}: ${verdict.evidence.detail} · reliability ${verdict.evidence.reliability}</span>`}
          <span class="room"></span><button onClick=${() => to(place + 1)}>Next (Enter)</button></footer>`}
      </article></div>`}
  </main>`;
}

export function Estimate({ estimate, items, done }) {
  return html`<section class="card estimate"><div><b>${whole(done)} of ${whole(items.length)}</b> judged
      <svg width="100%" height="8" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="whole" width="100" height="8" /><rect width=${(100 * done) / items.length} height="8" /></svg></div>
    <div>${estimate.error === null ? html`<span class="minor">The estimate of the label error appears with the first judgment.</span>` : html`Estimated label error <b>${percent(estimate.error, 1)}</b>, 95 % interval ${percent(estimate.low, 1)} to ${percent(estimate.high, 1)}
      <span class="minor"> · ${whole(estimate.disagreements)} ${estimate.disagreements === 1 ? "disagreement" : "disagreements"}, ${whole(estimate.unsure)} not told · of ${whole(estimate.covered)} of ${whole(estimate.actions)} labelled actions</span>`}</div></section>`;
}
