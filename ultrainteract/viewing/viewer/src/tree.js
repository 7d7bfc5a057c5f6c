// One tree: its problem, its turns down the page, and beside them what was drawn, what is exported, what is recorded.
import { useEffect, useMemo, useState } from "preact/hooks";
import { html } from "./html.js";
import { data, useData } from "./data.js";
import { Drawn, Exported, Record } from "./beside.js";
import { useKeys } from "./keys.js";
import { PAGE, listed } from "./list.js";
import { MarkDialog, useMarks } from "./marks.js";
import { Chip, Problem, Waiting, whole, words } from "./parts.js";
import { address, changed, go, parse } from "./route.js";
import { Text } from "./text.js";
import { Turn } from "./turn.js";

const TABS = [["tree", "Tree"], ["drawn", "Samples drawn"], ["exported", "As exported"], ["record", "Record"]];
/** Turns that are on the page at once, and up to how many all are open at first. */
const WINDOW = 40;
const OPEN = 8;

export function Tree({ route, library }) {
  const { collection, key, query } = route;
  const found = useData(() => data.tree(collection, key), [collection, key]);
  const around = useData(
    () => data.trees(collection, changed(listed(query), { around: found.value?.key, limit: PAGE }).toString()),
    [collection, found.value?.key, listed(query).toString()],
  );
  // The address itself is asked: a second key may come before the page has followed the first.
  const set = (changes, options = { replace: true }) => {
    const now = parse(location.hash);
    go({ ...now, query: changed(now.query, changes) }, options);
  };
  const list = () => go({ collection, view: "trees", query: changed(listed(query), { offset: around.value?.offset || null }) });
  const beside = found.value?.others?.[0];
  const next = async (by) => {
    if (!around.value) return;
    const { lines, offset, matched } = around.value;
    const place = lines.findIndex((line) => line.key === found.value?.key) + by;
    let line = lines[place];
    if (!line && offset + place >= 0 && offset + place < matched) {
      const page = await data.trees(collection, changed(listed(query), { offset: offset + place, limit: 1 }).toString());
      line = page.lines[0];
    }
    if (line) go({ collection, view: "tree", key: line.key, query: changed(query, { turn: null, side: null }) });
  };
  const tab = query.get("tab") || "tree";
  useKeys({
    j: () => next(1), k: () => next(-1), Escape: list,
    ...Object.fromEntries(TABS.map(([name], n) => [String(n + 1), () => set({ tab: n ? name : null })])),
    d: () => set({ diff: query.get("diff") ? null : "words" }),
    r: () => set({ raw: query.get("raw") ? null : "1" }),
    b: () => beside !== undefined && set({ beside: query.get("beside") ? null : String(beside) }),
  }, [route, found.value, around.value]);
  if (found.error) return html`<main class="tree" tabindex="-1"><${Problem} text=${found.error} /><p><button onClick=${list}>Back to the list</button></p></main>`;
  if (!found.value || (found.loading && !found.value.key.startsWith(key))) return html`<main class="tree"><${Waiting} /></main>`;
  const { tree } = found.value;
  const place = around.value ? around.value.offset + around.value.lines.findIndex((line) => line.key === found.value.key) + 1 : null;
  return html`<main class="tree" tabindex="-1">
    <div class="bar">
      <a href=${address({ collection, view: "trees", query: changed(listed(query), { offset: around.value?.offset || null }) })}>← List</a>
      <span class="places"><button onClick=${() => next(-1)} aria-label="Previous tree" title="Previous tree (k)">‹</button>
        <span>${place ? `${whole(place)} of ${whole(around.value.matched)}` : "…"}</span>
        <button onClick=${() => next(1)} aria-label="Next tree" title="Next tree (j)">›</button></span>
      <div class="tabs" role="tablist" aria-label="Parts of the tree">${TABS.filter(([name]) => !(data.isStatic && name === "drawn")).map(([name, text], n) => html`<button role="tab" key=${name} aria-selected=${tab === name} title=${`(${n + 1})`} onClick=${() => set({ tab: n ? name : null })}>${text}</button>`)}</div>
      <span class="room"></span>
      ${tab === "tree" && tree && html`
        <button aria-pressed=${Boolean(query.get("diff"))} onClick=${() => set({ diff: query.get("diff") ? null : "words" })} title="Word differences (d)">Differences</button>
        <button aria-pressed=${Boolean(query.get("raw"))} onClick=${() => set({ raw: query.get("raw") ? null : "1" })} title="Raw or rendered (r)">Raw</button>
        ${beside !== undefined && html`<button aria-pressed=${Boolean(query.get("beside"))} onClick=${() => set({ beside: query.get("beside") ? null : String(beside) })} title="Beside the other collection (b)">Beside</button>`}`}
    </div>
    ${!tree ? html`<${Treeless} line=${around.value?.lines.find((line) => line.key === found.value.key)} />`
      : tab === "drawn" ? html`<${Drawn} collection=${collection} id=${found.value.key} tree=${tree} />`
      : tab === "exported" ? html`<${Exported} collection=${collection} id=${found.value.key} formats=${found.value.formats} query=${query} set=${set} />`
      : tab === "record" ? html`<${Record} tree=${tree} />`
      : query.get("beside") ? html`<${Beside} route=${route} tree=${tree} library=${library} other=${Number(query.get("beside"))} set=${set} />`
      : html`<${Turns} tree=${tree} route=${route} set=${set} id=${found.value.key} />`}
  </main>`;
}

function Treeless({ line }) {
  return html`<section class="card"><h2>No tree</h2>
    <p>${line ? `${words(line.one.state)}: ${line.title}` : "This input has no tree."}</p>${line && html`<p class="minor">${line.source}</p>`}</section>`;
}

function Beside({ route, tree, library, other, set }) {
  const found = useData(() => data.tree(other, route.key), [other, route.key]);
  const names = [library.collections[route.collection], library.collections[other]].map((item) => item?.name);
  return html`<div class="beside">
    <section aria-label=${names[0]}><h2>${names[0]}</h2><${Turns} tree=${tree} route=${route} set=${set} id=${route.key} narrow=${true} /></section>
    <section aria-label=${names[1]}><h2>${names[1]}</h2>${found.error ? html`<${Problem} text=${found.error} />`
      : found.value?.tree ? html`<${Turns} tree=${found.value.tree} route=${{ ...route, collection: other }} set=${set} id=${route.key} narrow=${true} second=${true} />` : html`<${Waiting} />`}</section>
  </div>`;
}

function Turns({ tree, route, set, id, narrow = false, second = false }) {
  const { query } = route;
  const count = tree.turns.length;
  const at = Math.max(1, Math.min(count, Number(query.get("turn")) || 1));
  const [open, setOpen] = useState(() => new Set());
  const [histories, showHistories] = useState(false);
  const marks = useMarks(route.collection, id);
  const isOpen = (number) => (count <= OPEN) !== open.has(number) || (number === at && count > OPEN && !open.has(-number));
  const toggle = (number) => setOpen((before) => {
    const made = new Set(before);
    if (isOpen(number) && number === at && count > OPEN && !made.has(number)) made.add(-number);
    else if (made.has(number)) made.delete(number);
    else { made.add(number); made.delete(-number); }
    return made;
  });
  const stands = () => Number(parse(location.hash).query.get("turn")) || 0;
  const move = (to) => {
    const number = Math.max(1, Math.min(count, to));
    set({ turn: number });
    if (!second) requestAnimationFrame(() => document.getElementById(`turn-${number}`)?.scrollIntoView({ block: "start" }));
  };
  useEffect(() => setOpen(new Set()), [id]);
  useEffect(() => {
    if (query.has("turn") && !second) document.getElementById(`turn-${at}`)?.scrollIntoView({ block: "start" });
  }, [id]);
  useKeys(second ? {} : {
    ArrowRight: () => move(stands() + 1), ArrowLeft: () => move(stands() - 1), Home: () => move(1), End: () => move(count),
    e: () => setOpen(new Set(count <= OPEN === open.size > 0 ? [] : tree.turns.slice(first - 1, last).map((_, n) => first + n))),
    h: () => showHistories(!histories),
    c: () => set({ turn: at, side: "correct" }), w: () => set({ turn: at, side: "incorrect" }),
    m: () => marks.ask(at, query.get("side") || (tree.turns[at - 1].incorrect ? "incorrect" : "correct")),
  }, [id, at, count, open, histories, query, marks]);
  const first = Math.max(1, Math.min(at - WINDOW / 4, count - WINDOW + 1));
  const last = Math.min(count, first + WINDOW - 1);
  const shown = useMemo(() => tree.turns.slice(first - 1, last), [tree, first, last]);
  return html`<${Instruction} tree=${tree} id=${id} raw=${Boolean(query.get("raw"))} narrow=${narrow} />
    ${first > 1 && html`<p class="window"><button onClick=${() => move(first - 1)}>Earlier turns: 1 to ${whole(first - 1)}</button></p>`}
    ${shown.map((turn, n) => html`<${Turn} key=${first + n} number=${first + n} turn=${turn} tree=${tree} id=${id} collection=${route.collection} open=${isOpen(first + n)} at=${query.has("turn") && first + n === at}
      side=${first + n === at ? query.get("side") : null} toggle=${() => toggle(first + n)} query=${query} set=${set} marks=${marks} histories=${histories} narrow=${narrow} second=${second} />`)}
    ${last < count && html`<p class="window"><button onClick=${() => move(last + 1)}>Later turns: ${whole(last + 1)} to ${whole(count)}</button></p>`}
    <${MarkDialog} marks=${marks} />
    ${tree.ended && html`<p class="ended">Ended: ${words(tree.ended)}${tree.unread ? ` – ${tree.unread}` : ""}</p>`}`;
}

function Instruction({ tree, id, raw, narrow }) {
  const { instruction } = tree;
  const [more, showMore] = useState(false);
  const facts = [["Gold", instruction.gold ?? (instruction.gold_set?.length ? instruction.gold_set.join(", ") : null)], ["Unit", instruction.unit], ["Grader", instruction.grader], ["Source", instruction.source], ["License", instruction.licence]];
  const preamble = instruction.prompt && instruction.prompt !== instruction.question;
  return html`<section class="card instruction" aria-label="Instruction">
    <p class="about"><${Chip} kind=${stateOf(tree)}>${words(stateOf(tree))}<//><span>${words(instruction.task || "")}</span><span>${instruction.dataset}</span>
      ${instruction.difficulty && html`<span>${instruction.difficulty}</span>`}
      ${(instruction.tags || []).slice(0, 6).map((tag) => html`<${Chip} key=${tag}>${tag}<//>`)}
      ${(tree.simulation || tree.turns.some((turn) => turn.correct?.provenance?.simulated || turn.incorrect?.provenance?.simulated)) && html`<${Chip} title="No language model wrote this">simulated<//>`}
      ${Object.entries(tree.guards || {}).map(([name, n]) => html`<${Chip} key=${name} title="Quality guard">${words(name)} ${n > 1 ? `× ${n}` : ""}<//>`)}</p>
    <${Text} text=${instruction.question || instruction.prompt || ""} raw=${raw} />
    ${instruction.choices?.length > 0 && !instruction.question?.includes(instruction.choices[0]) && html`<ol class="choices">${instruction.choices.map((choice) => html`<li dir="auto">${choice}</li>`)}</ol>`}
    ${!narrow && html`<dl class="facts">${facts.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd dir="auto">${String(value).slice(0, 2000)}</dd></div>`)}
      <div><dt>Id</dt><dd><code title=${id}>${id.slice(0, 16)}</code></dd></div></dl>`}
    ${(preamble || instruction.tests || instruction.solutions?.length || instruction.rationales?.length) && html`
      <button class="plain" aria-expanded=${more} onClick=${() => showMore(!more)}>${more ? "Less" : "Prompt as sent, ground truth, tests"}</button>
      ${more && html`<div class="details">
        ${preamble && html`<h3>Prompt</h3><${Text} text=${instruction.prompt} raw=${true} />`}
        ${(instruction.rationales || []).map((text, n) => html`<h3>Gold rationale ${n + 1}</h3><${Text} key=${n} text=${text} raw=${raw} />`)}
        ${(instruction.solutions || []).slice(0, 10).map((text, n) => html`<h3>Gold solution ${n + 1}</h3><${Text} key=${n} text=${text} language=${raw ? "" : "python"} raw=${raw} />`)}
        ${instruction.tests && html`<h3>${instruction.tests.cases.length} tests (${instruction.tests.kind})</h3>
          ${instruction.tests.cases.slice(0, 10).map((test, n) => html`<div class="test" key=${n}><${Text} compact=${true} raw=${true} text=${test.input} /><span>→</span><${Text} compact=${true} raw=${true} text=${test.expected} /></div>`)}
          ${instruction.tests.cases.length > 10 && html`<p class="minor">and ${whole(instruction.tests.cases.length - 10)} more (see Record)</p>`}`}
      </div>`}`}
  </section>`;
}

function stateOf(tree) {
  if (tree.turns.some((turn) => (turn.paired && turn.correct && turn.incorrect) || turn.extra?.length)) return "complete";
  return tree.turns.some((turn) => turn.correct) ? "sft_only" : "unsolved";
}
