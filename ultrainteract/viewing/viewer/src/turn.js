// A turn: what was drawn, the chosen and the rejected action side by side, what the environment and the critic said.
import { useMemo, useState } from "preact/hooks";
import { html } from "./html.js";
import { Differences, differences } from "./differences.js";
import { MarkButton } from "./marks.js";
import { Chip, dollars, percent, whole, words } from "./parts.js";
import { Text } from "./text.js";

const MORE = 5;

export function Turn({ number, turn, tree, open, at, side, toggle, query, set, histories, narrow, second, ...place }) {
  const rate = passRate(turn);
  const raw = Boolean(query.get("raw"));
  const sides = [["correct", turn.correct], ["incorrect", turn.incorrect]].filter(([, node]) => node);
  const marked = place;
  return html`<section class=${`turn ${at ? "at" : ""}`} id=${second ? undefined : `turn-${number}`} aria-label=${`Turn ${number}`}>
    <header><button class="toggle" aria-expanded=${open} onClick=${toggle}><i>${open ? "▾" : "▸"}</i><h2>Turn ${number}</h2></button>
      ${turn.paired && html`<${Chip} kind="pair">pair<//>`}
      ${(turn.extra?.length || 0) > 0 && html`<${Chip} kind="pair">${turn.extra.length} extra<//>`}
      <span class="steps">${(turn.steps || []).map((step) => html`<span key=${step.step + step.model} title=${undetermined(step)}>
        ${step.step} <b>${step.correct}/${step.judged}</b>${step.drawn > step.judged ? html` <span class="minor">of ${step.drawn}</span>` : ""}</span>`)}</span>
      ${rate !== null && html`<span class="rate">pass rate ${percent(rate)}</span>`}
      ${turn.first_correct !== null && turn.first_correct !== undefined && html`<span class="minor">first sample ${turn.first_correct ? "right" : "wrong"}</span>`}
    </header>
    ${open && html`
      ${number > 1 && html`<${History} tree=${tree} turn=${number} shown=${histories} raw=${raw} />`}
      <${Couple} number=${number} sides=${sides} side=${side} query=${query} narrow=${narrow} marked=${marked} second=${second} />
      <${Extra} turn=${turn} number=${number} query=${query} narrow=${narrow} marked=${marked} />`}
  </section>`;
}

/** Two nodes beside each other, with what follows the wrong one below. */
function Couple({ number, sides, side, query, narrow, marked, second }) {
  const raw = Boolean(query.get("raw"));
  const parts = useMemo(() => query.get("diff") && sides.length === 2
    ? differences(spoken(sides[1][1]), spoken(sides[0][1])) : undefined, [sides[0]?.[1], sides[1]?.[1], query.get("diff")]);
  return html`<div class=${`couple ${sides.length === 1 || narrow ? "single" : ""}`}>${sides.map(([name, node]) => html`
    <${Node} key=${name} name=${name} node=${node} raw=${raw} parts=${parts} compared=${Boolean(query.get("diff")) && sides.length === 2}
      at=${side === name} id=${second ? undefined : `node-${number}-${name}`} marked=${marked} number=${number} paired=${sides.length === 2} />`)}</div>`;
}

const LABELS = { correct: ["chosen", "Correct", "✓"], incorrect: ["rejected", "Wrong", "✗"] };
const SIDES = { chosen: "Chosen", rejected: "Rejected" };

export function Node({ name, node, paired, raw, parts, compared, at, id, marked, number }) {
  const [kind] = LABELS[name] || (name.startsWith("unlabelled") ? ["plain"] : name.endsWith("chosen") || name.startsWith("more") ? LABELS.correct : LABELS.incorrect);
  const label = node.verdict?.label || "undetermined";
  const [, text, sign] = LABELS[label === "wrong" ? "incorrect" : label] || ["", "Undetermined", "?"];
  const mine = kind === "chosen" ? "added" : "removed";
  const { action, observation = {}, provenance = {}, critique } = node;
  return html`<article class=${`node ${kind} ${at ? "at" : ""}`} id=${id} aria-label=${`${text}, turn ${number}`}>
    <header><span class=${`label ${label}`}>${sign} ${paired ? html`${SIDES[kind]} <span class="minor">· ${text.toLowerCase()}</span>` : text}</span>
      <span class="model">${provenance.model}</span><span class="minor">${provenance.step}</span>
      <span class="room"></span>
      ${marked?.marks && html`<${MarkButton} marks=${marked.marks} turn=${number} side=${name} />`}</header>
    ${action.reasoning && html`<details class="reasoning"><summary>Reasoning, ${whole(action.reasoning.length)} characters</summary><${Text} text=${action.reasoning} raw=${raw} /></details>`}
    ${(action.exchanges || []).map((exchange, n) => html`<div class="exchange" key=${n}><${Text} text=${raw ? exchange.raw : exchange.text} raw=${raw} /><div class="output"><span class="said">Tool</span><${Text} text=${exchange.output} raw=${true} /></div></div>`)}
    ${compared ? html`<${Differences} parts=${parts} mine=${mine} text=${spoken(node)} />` : html`<${Text} text=${raw ? action.raw : action.text} raw=${raw} />`}
    ${observation.output !== null && observation.output !== undefined && html`<div class="output"><span class="said">Environment${observation.status && observation.status !== "ok" ? ` · ${observation.status}` : ""}</span>
      <${Text} text=${observation.output} raw=${true} compact=${true} /></div>`}
    <${Evidence} node=${node} />
    ${critique && html`<div class="critique"><span class="said">Critique · ${critique.provenance?.model}${critique.guard && critique.guard !== "clean" ? html` · <${Chip}>${words(critique.guard)}<//>` : ""}</span><${Text} text=${critique.text} raw=${raw} /></div>`}
  </article>`;
}

function Evidence({ node }) {
  const { verdict = {}, action, provenance = {}, critique } = node;
  const { evidence } = verdict;
  return html`<footer>
    ${evidence ? html`<span><${Chip} title="The check that decided">${words(evidence.check)}<//> ${evidence.detail && html`<span class="detail" dir="auto">${evidence.detail.slice(0, 400)}</span>`}</span>
      <span title="Share of such verdicts that are right">reliability ${evidence.reliability.toFixed(evidence.reliability < 1 ? 4 : 0)}</span>`
      : html`<span>${verdict.reason}</span>`}
    ${action.answer !== null && action.answer !== undefined && html`<span>answer <code dir="auto">${String(action.answer).slice(0, 200)}</code></span>`}
    ${action.syntax_ok === false && html`<${Chip} kind="failed">syntax error<//>`}
    <span>${whole(provenance.completion_tokens)} tokens</span><span>${dollars(provenance.cost)}</span>
    <details><summary>provenance</summary><dl class="facts">
      ${[["Model", provenance.model], ["Provider", provenance.provider], ["Simulated", provenance.simulated ? "yes" : "no"], ["Step", provenance.step], ["Sample", provenance.ordinal],
        ["Schema", action.reasoning_schema], ["Temperature", provenance.sampling?.temperature], ["Top-p", provenance.sampling?.top_p], ["Maximum tokens", provenance.sampling?.max_tokens],
        ["Prompt tokens", provenance.prompt_tokens], ["Completion tokens", provenance.completion_tokens], ["Reasoning tokens", provenance.reasoning_tokens], ["Cost", dollars(provenance.cost)],
        ...(critique ? [["Critic", critique.provenance?.model], ["Critique’s tokens", critique.provenance?.completion_tokens], ["Critique’s cost", dollars(critique.provenance?.cost)]] : [])]
        .filter(([, value]) => value !== undefined && value !== null && value !== "").map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></details>
  </footer>`;
}

/** What both sides go on from: the wrong actions of the turns before, with what was said of them. */
function History({ tree, turn, shown, raw }) {
  const [open, set] = useState(false);
  const isShown = open !== shown;
  const nodes = isShown ? tree.turns.slice(Math.max(0, turn - 11), turn - 1).map((one) => one.incorrect).filter(Boolean) : [];
  return html`<div class="history"><button class="plain" aria-expanded=${isShown} onClick=${() => set(!open)}>${isShown ? "▾" : "▸"} Shared history: ${turn - 1} wrong ${turn === 2 ? "action" : "actions"} with what was said of ${turn === 2 ? "it" : "them"}</button>
    ${isShown && html`<ol class="talk">${turn > 11 && html`<li class="minor">The last ten of ${turn - 1} are shown.</li>`}${nodes.map((node, n) => html`<li key=${n}>
      <div class="assistant"><span class="said">Actor</span><${Text} text=${node.action.text} raw=${raw} /></div>
      <div class="user"><span class="said">Environment and critic</span><${Text} text=${[node.observation?.verbatim ?? node.observation?.output, node.observation?.verbatim ? null : node.critique?.text].filter(Boolean).join("\n\n")} raw=${raw} /></div></li>`)}</ol>`}</div>`;
}

function Extra({ turn, number, query, narrow, marked }) {
  const [all, showAll] = useState(0);
  const pairs = turn.extra || [];
  const more = turn.more_correct || [];
  const limit = MORE + all;
  return html`${pairs.slice(0, limit).map((pair, n) => html`<h3 class="extra" key=${`e${n}`}>Extra pair ${n + 1} of ${pairs.length}</h3>
      <${Couple} key=${`c${n}`} number=${number} sides=${[[`extra-${n + 1}-chosen`, pair.chosen], [`extra-${n + 1}-rejected`, pair.rejected]]} query=${query} narrow=${narrow} marked=${marked} second=${true} />`)}
    ${more.slice(0, limit).map((node, n) => html`<h3 class="extra" key=${`h${n}`}>Further correct action ${n + 1} of ${more.length}</h3><div class="couple single" key=${`m${n}`}><${Node} name=${`more-${n + 1}`} node=${node} raw=${Boolean(query.get("raw"))} marked=${marked} number=${number} /></div>`)}
    ${(turn.unlabelled || []).slice(0, limit).map((node, n) => html`<h3 class="extra" key=${`u${n}`}>${node.constitution ? `Under ${node.constitution.name}: ${node.constitution.principles.join(" ")}` : `Response ${n + 1}`}</h3><div class="couple single" key=${`v${n}`}><${Node} name=${`unlabelled-${n + 1}`} node=${node} raw=${Boolean(query.get("raw"))} marked=${marked} number=${number} /></div>`)}
    ${Math.max(pairs.length, more.length) > limit && html`<p class="window"><button onClick=${() => showAll(all + 20)}>Show more: ${limit} of ${whole(Math.max(pairs.length, more.length))} are shown</button></p>`}`;
}

/** An action as one text, tool calls included. */
const spoken = (node) => [...(node.action.exchanges || []).flatMap((one) => [one.text, one.output]), node.action.text].join("\n");

export function passRate(turn) {
  const first = turn.steps?.[0];
  return first?.judged ? first.correct / first.judged : null;
}

const undetermined = (step) =>
  [`${step.model}: ${step.drawn} drawn, ${step.judged} judged, ${step.correct} correct`, ...Object.entries(step.undetermined || {}).map(([why, n]) => `${n} undetermined: ${why}`)].join("\n");
