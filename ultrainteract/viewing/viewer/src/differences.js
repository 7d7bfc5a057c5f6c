// The words in which two texts differ, within a bound: where they differ too much, lines are compared, or nothing.
import { diffLines, diffWordsWithSpace } from "diff";
import { useMemo } from "preact/hooks";
import { html } from "./html.js";
import { SHOWN } from "./text.js";

const BOUND = { timeout: 250, maxEditLength: 5_000 };

export function differences(before, after) {
  const [one, other] = [before.slice(0, SHOWN), after.slice(0, SHOWN)];
  return diffWordsWithSpace(one, other, BOUND) ?? diffLines(one, other, BOUND) ?? null;
}

/** One side of a comparison: `mine` is `added` for the text that is compared, `removed` for the other one. */
export function Differences({ parts, mine, text }) {
  const body = useMemo(() => {
    if (!parts) return text.slice(0, SHOWN);
    return parts.filter((part) => !part.added && !part.removed || part[mine]).map((part, n) =>
      part[mine] ? html`<${mine === "added" ? "ins" : "del"} key=${n}>${part.value}<//>` : part.value);
  }, [parts, mine, text]);
  return html`<div class="text"><div class="raw differences" dir="auto">${body}</div>
    ${!parts && html`<p class="note">These texts differ too much to be compared word by word.</p>`}
    ${text.length > SHOWN && html`<p class="note">The first ${SHOWN.toLocaleString("en")} characters are compared.</p>`}</div>`;
}
