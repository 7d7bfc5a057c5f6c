// Marks: what a reader objects to at an action. They are kept in a file beside the run.
import { useMemo, useState } from "preact/hooks";
import { html } from "./html.js";
import { data, useData } from "./data.js";
import { Chip, Dialog, Problem, words } from "./parts.js";

const KINDS = [["wrong_verdict", "Wrong verdict"], ["leak", "Leak: the critique or prompt gives the answer away"], ["bad_critique", "Bad critique"], ["other", "Other"]];

export function useMarks(collection, id) {
  const found = useData(() => data.marks(collection), [collection]);
  const [made, set] = useState(null);
  const [asked, ask] = useState(null);
  const all = made ?? found.value ?? [];
  return useMemo(() => ({
    of: (turn, side) => all.find((mark) => mark.tree === id && mark.turn === turn && mark.side === side),
    ask: (turn, side) => !data.isStatic && ask({ turn, side }),
    asked,
    close: () => ask(null),
    put: async (mark) => set(await data.mark(collection, { tree: id, ...mark })),
  }), [all, asked, id, collection]);
}

export function MarkButton({ marks, turn, side }) {
  const mark = marks.of(turn, side);
  if (data.isStatic) return mark ? html`<${Chip} kind="mark" title=${mark.note}>⚑ ${words(mark.kind)}<//>` : null;
  return html`<button class=${`flag ${mark ? "set" : ""}`} title=${mark ? mark.note || "Change the mark" : "Mark (m)"} aria-label=${mark ? `Marked: ${words(mark.kind)}` : "Mark"} onClick=${() => marks.ask(turn, side)}>⚑${mark ? ` ${words(mark.kind)}` : ""}</button>`;
}

export function MarkDialog({ marks }) {
  return marks.asked && html`<${Form} key=${marks.asked.turn + marks.asked.side} marks=${marks} ...${marks.asked} />`;
}

function Form({ marks, turn, side }) {
  const mark = marks.of(turn, side);
  const [kind, setKind] = useState(mark?.kind ?? "wrong_verdict");
  const [note, setNote] = useState(mark?.note ?? "");
  const [error, setError] = useState("");
  const put = (value) => marks.put({ turn, side, kind: value, note }).then(marks.close, (why) => setError(why.message));
  const keys = (event) => {
    const place = Number(event.key) - 1;
    if (event.target.tagName !== "TEXTAREA" && KINDS[place]) setKind(KINDS[place][0]);
    if (event.key === "Enter" && (event.target.tagName !== "TEXTAREA" || event.ctrlKey)) { event.preventDefault(); put(kind); }
    event.stopPropagation();
  };
  return html`<${Dialog} title=${`Mark the ${words(side).replaceAll("-", " ")} action of turn ${turn}`} close=${marks.close}>
    <div class="marking" onKeyDown=${keys}>
      ${KINDS.map(([name, text], n) => html`<label key=${name}><input type="radio" name="kind" checked=${kind === name} autofocus=${kind === name} onChange=${() => setKind(name)} /><kbd>${n + 1}</kbd> ${text}</label>`)}
      <label class="note">Note<textarea rows="3" value=${note} maxlength="4000" onInput=${(event) => setNote(event.target.value)}></textarea></label>
      ${error && html`<${Problem} text=${error} />`}
      <p><button onClick=${() => put(kind)}>Keep the mark</button> ${mark && html`<button onClick=${() => put(null)}>Remove it</button>`} <span class="minor">Enter keeps it, Escape leaves</span></p>
    </div><//>`;
}
