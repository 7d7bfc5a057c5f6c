// The overview: ledger and spending as they stand, then the paper's tables and all that `stats` counts, as charts.
import { html } from "./html.js";
import { data, useData } from "./data.js";
import { Bars, Problem, Table, Waiting, dollars, percent, whole, words } from "./parts.js";
import { address } from "./route.js";
import { Reports } from "./reports.js";

export function Overview({ route, library, live }) {
  const { collection } = route;
  const about = library.collections[collection];
  const settled = live && !live.live ? Object.values(live.states).reduce((sum, n) => sum + n, 0) : 0;
  const figures = useData(() => data.figures(collection), [collection, settled]);
  const facets = useData(() => data.trees(collection, "limit=1"), [collection, live?.indexed ?? 0]);
  return html`<main class="overview" tabindex="-1">
    <h1>${about.name}</h1><p class="minor">${about.place}</p>
    ${live ? html`<${Ledger} live=${live} collection=${collection} />` : facets.value && html`<${States} counts=${facets.value.facets.state} collection=${collection} />`}
    <${Reports} collection=${collection} />
    ${figures.error && html`<${Problem} text=${figures.error} />`}
    ${!figures.value && figures.loading && html`<${Waiting} text="Counting all trees, in a process of its own…" />`}
    ${figures.value && html`<${Figures} figures=${figures.value} />`}
  </main>`;
}

function States({ counts = {}, collection }) {
  const rows = Object.entries(counts).map(([name, value]) => ({ name: html`<a href=${address({ collection, view: "trees", query: new URLSearchParams({ state: name }) })}>${words(name)}</a>`, value, kind: name }));
  return html`<section class="card"><h2>Trees by state</h2><${Bars} label="Trees by state" rows=${rows} /></section>`;
}

function Ledger({ live, collection }) {
  const done = Object.values(live.states).reduce((sum, n) => sum + n, 0);
  const { sums } = live;
  const cost = live.spend.reduce((sum, item) => sum + item.cost, 0);
  const unpriced = live.spend.reduce((sum, item) => sum + item.unpriced, 0);
  const left = live.live && live.per_second && live.inputs ? (live.inputs - done) / live.per_second : null;
  const tiles = [
    ["Inputs settled", live.inputs ? `${whole(done)} of ${whole(live.inputs)}` : whole(done)],
    ["Pairs", whole(sums.pairs || 0)], ["Correct actions", whole(sums.correct || 0)],
    ["Pass rate, actor", percent(sums.judged ? (sums.judged_correct || 0) / sums.judged : null)],
    ["Spent", unpriced ? `${dollars(cost)} + ${whole(unpriced)} unpriced` : dollars(cost)],
    ["Samples drawn", whole(sums.drawn || 0)],
    ...(live.live ? [["Pace", live.per_second === null ? "…" : `${live.per_second.toFixed(1)} per second`], ["Time left", left === null ? "…" : duration(left)]] : []),
  ];
  const undetermined = Object.entries(sums).filter(([name]) => name.startsWith("undetermined.")).map(([name, value]) => ({ name: name.slice(13), value })).sort((a, b) => b.value - a.value).slice(0, 8);
  const guards = Object.entries(sums).filter(([name]) => name.startsWith("guard.")).map(([name, value]) => ({ name: words(name.slice(6)), value })).sort((a, b) => b.value - a.value);
  return html`<dl class="tiles">${tiles.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <div class="charts">
      <${States} counts=${Object.fromEntries(Object.entries(live.states).filter(([, n]) => n))} collection=${collection} />
      ${guards.length > 0 && html`<section class="card"><h2>Quality guards</h2><${Bars} label="Quality guards" rows=${guards} /></section>`}
      ${undetermined.length > 0 && html`<section class="card"><h2>Samples without a verdict</h2><${Bars} label="Samples without a verdict" rows=${undetermined} /></section>`}
    </div>
    ${live.spend.length > 0 && html`<section class="card"><h2>Spending</h2><${Table} label="Spending" head=${["role", "step", "model", "task", "requests", "samples", "prompt tokens", "completion tokens", "cost"]}
      rows=${live.spend.map((item) => [item.role, item.step, item.model, words(item.task), item.requests, item.completions, item.prompt_tokens, item.completion_tokens, item.unpriced ? "unpriced" : dollars(item.cost)])} /></section>`}
    ${live.log.length > 0 && html`<section class="card"><details open=${live.live}><summary>Endpoints and warnings (${live.log.length})</summary><pre class="log" tabindex="0">${live.log.join("\n")}</pre></details></section>`}`;
}

function Figures({ figures }) {
  const ends = Array.from({ length: Math.max(1, ...figures.table1.flatMap((row) => Object.keys(row.trajectories).map(Number))) }, (_, n) => n + 1);
  const tokens = (value) => (value === null ? "–" : whole(value));
  const audited = figures.label_error;
  return html`
    ${audited?.error != null && html`<section class="card"><h2>Audit</h2><p>Estimated label error <b>${percent(audited.error, 1)}</b>, 95 % interval ${percent(audited.low, 1)} to ${percent(audited.high, 1)}; ${whole(audited.judged)} actions judged blind.</p></section>`}
    <div class="charts">
      <section class="card"><h2>Pass rate by step and model</h2><${Bars} label="Pass rate by step and model" rows=${figures.steps.map((row) => ({ name: `${row.step} · ${row.model}`, value: row.pass_rate ?? 0, of: 1, said: html`${percent(row.pass_rate)} <span class="minor">of ${whole(row.judged)}</span>` }))} /></section>
      <section class="card"><h2>The actor’s first sample, by turn</h2><${Bars} label="First sample by turn" rows=${figures.actor_first_sample.map((row) => ({ name: `turn ${row.turn}`, value: row.pass_rate ?? 0, of: 1, said: html`${percent(row.pass_rate)} <span class="minor">of ${whole(row.judged)}</span>` }))} /></section>
      <section class="card"><h2>Trees and pairs by turn</h2><${Bars} label="Trees by the turn they end at" rows=${Object.entries(figures.turns).map(([turn, n]) => ({ name: `end at turn ${turn}`, value: n }))} />
        <${Bars} label="Pairs by turn" rows=${Object.entries(figures.pairs_by_turn).map(([turn, n]) => ({ name: `pairs, turn ${turn}`, value: n, kind: "chosen" }))} /></section>
      <section class="card"><h2>Verdicts by check</h2><${Bars} label="Verdicts by check" rows=${figures.evidence.map((row) => ({ name: `${words(row.check)} · ${row.label}`, value: row.actions, kind: row.label === "correct" ? "chosen" : "rejected" }))} /></section>
      <section class="card"><h2>Lengths</h2>${["chosen", "rejected", "instruction"].map((side) => html`<h3 key=${side}>${side}, characters</h3><${Bars} label=${`Lengths of ${side}`} rows=${Object.entries(figures.length_chars[side] || {}).map(([bound, n]) => ({ name: `to ${whole(Number(bound))}`, value: n, kind: side }))} />`)}</section>
      <section class="card"><h2>What to know</h2><dl class="list-of-figures">${[
        ["Chosen is the longer text", percent(figures.chosen_longer_share)], ["Both sides by one model", percent(figures.same_model_share)],
        ["Critiques that leaked at first", `${whole(figures.critiques.leaked)} of ${whole(figures.critiques.total)}`], ["Mean reliability", figures.mean_reliability?.toFixed(4) ?? "–"],
        ["Equal answers, equal labels", percent(figures.same_answer_agreement.share)], ["Duplicate prompts", whole(figures.duplicates.prompts)], ["Duplicate pairs", whole(figures.duplicates.pairs)],
        ["Cost per pair", dollars(figures.spent?.cost_per_pair ?? figures.kept.cost_per_pair)], ["Tokens per pair", tokens(figures.spent?.tokens_per_pair ?? figures.kept.tokens_per_pair)], ["Tokens counted with", figures.tokenizer],
      ].map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>
    </div>
    <section class="card"><h2>Table 1: trajectories by the turn they end at</h2><${Table} label="Table 1" head=${["task", "interaction", "tool", "instructions", ...ends.map((turn) => `T${turn}`), "tokens", "per instruction", "pairs", "correct"]}
      rows=${figures.table1.map((row) => [words(row.task), row.interaction ? "yes" : "no", row.tool ? "yes" : "no", row.instructions, ...ends.map((turn) => row.trajectories[turn] || 0), tokens(row.tokens_per_trajectory), row.trajectories_per_instruction?.toFixed(2) ?? "–", row.pairs, row.correct])} /></section>
    <section class="card"><h2>Table 7: datasets</h2><${Table} label="Table 7" head=${["task", "dataset", "prompts", "pairs", "correct", "tokens"]}
      rows=${figures.table7.map((row) => [words(row.task), row.dataset, row.prompts, row.pairs, row.correct, tokens(row.tokens_per_trajectory)])} /></section>`;
}

function duration(seconds) {
  const minutes = Math.ceil(seconds / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}
