// A model's text, raw or rendered. Markdown becomes tokens and tokens become nodes: HTML in the text is shown, not
// interpreted; pictures are named, not fetched; only http and https addresses are links.
import katex from "katex";
import { createLowlight } from "lowlight";
import bash from "highlight.js/lib/languages/bash";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import { Marked } from "marked";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "./html.js";
import { data } from "./data.js";

/** Characters that are shown at first: enough to read, little enough to lay out at once. */
export const SHOWN = 20_000;
const HIGHLIGHTED = 20_000;

const lowlight = createLowlight({ python, json, bash });
lowlight.registerAlias({ python: ["py", "python3"], bash: ["sh", "shell"] });

const rule = (name, level, start, pattern, accept = () => true) => ({
  name, level,
  start: (text) => { const at = text.indexOf(start); return at < 0 ? undefined : at; },
  tokenizer(text) {
    const found = pattern.exec(text);
    if (found && accept(found)) return { type: name, raw: found[0], tex: found[1], display: name.startsWith("display") };
  },
});

const markdown = new Marked({ gfm: true, breaks: true }, {
  extensions: [
    rule("display", "inline", "$$", /^\$\$([^$]{1,4000}?)\$\$/),
    rule("displayBracket", "inline", "\\[", /^\\\[([\s\S]{1,4000}?)\\\]/),
    rule("paren", "inline", "\\(", /^\\\(([\s\S]{1,4000}?)\\\)/),
    rule("boxed", "inline", "\\boxed", /^(\\boxed\s?\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\}){0,400}\})/),
    // Pandoc's rule keeps "$5 and $6" as it is: no space inside the signs, no digit behind.
    rule("dollar", "inline", "$", /^\$(?![\s$])([^$\n]{1,400}?)(?<![\s\\])\$(?!\d)/, ([, tex]) => /[\\^_={}+*/<>|]|^[a-zA-Z][\w']{0,4}$|^-?[\d.,]+%?$/.test(tex)),
  ],
});

export function Mathematics({ tex, display }) {
  const place = useRef();
  useLayoutEffect(() => {
    try {
      katex.render(tex, place.current, {
        displayMode: display, throwOnError: true, trust: false, maxExpand: 200, maxSize: 30, strict: "ignore",
        output: data.isStatic ? "mathml" : "htmlAndMathml",
      });
    } catch {
      place.current.textContent = tex;
      place.current.className = "unset";
    }
  }, [tex, display]);
  return html`<span class=${display ? "mathematics display" : "mathematics"} ref=${place} key=${tex}></span>`;
}

const hast = (node, key) =>
  node.type === "text" ? node.value
    : html`<span key=${key} class=${(node.properties?.className || []).join(" ")}>${node.children.map(hast)}</span>`;

export function Code({ text, language = "" }) {
  const known = lowlight.registered(language) ? language : "";
  const body = useMemo(
    () => (known && text.length <= HIGHLIGHTED ? lowlight.highlight(known, text).children.map(hast) : text),
    [text, known],
  );
  return html`<pre class="code" dir="ltr" tabindex="0"><code>${body}</code></pre>`;
}

const safe = (href) => /^https?:\/\//i.test(href || "");

function tokens(list) {
  return (list || []).map(token);
}

function token(item, key) {
  switch (item.type) {
    case "space": return null;
    case "paragraph": return html`<p key=${key} dir="auto">${tokens(item.tokens)}</p>`;
    case "heading": return html`<p key=${key} class="heading" dir="auto">${tokens(item.tokens)}</p>`;
    case "code": return html`<${Code} key=${key} text=${item.text} language=${(item.lang || "").trim().toLowerCase()} />`;
    case "codespan": return html`<code key=${key}>${unescaped(item.raw)}</code>`;
    case "strong": return html`<strong key=${key}>${tokens(item.tokens)}</strong>`;
    case "em": return html`<em key=${key}>${tokens(item.tokens)}</em>`;
    case "del": return html`<del key=${key}>${tokens(item.tokens)}</del>`;
    case "br": return html`<br key=${key} />`;
    case "hr": return html`<hr key=${key} />`;
    case "blockquote": return html`<blockquote key=${key}>${tokens(item.tokens)}</blockquote>`;
    case "list":
      return item.ordered
        ? html`<ol key=${key} start=${item.start || 1}>${item.items.map((one, n) => html`<li key=${n} dir="auto">${tokens(one.tokens)}</li>`)}</ol>`
        : html`<ul key=${key}>${item.items.map((one, n) => html`<li key=${n} dir="auto">${tokens(one.tokens)}</li>`)}</ul>`;
    case "table":
      return html`<div class="scrolled" key=${key}><table><thead><tr>${item.header.map((cell, n) => html`<th key=${n}>${tokens(cell.tokens)}</th>`)}</tr></thead>
        <tbody>${item.rows.map((row, r) => html`<tr key=${r}>${row.map((cell, n) => html`<td key=${n}>${tokens(cell.tokens)}</td>`)}</tr>`)}</tbody></table></div>`;
    case "link":
      return safe(item.href) ? html`<a key=${key} href=${item.href} target="_blank" rel="noopener noreferrer nofollow">${tokens(item.tokens)}</a>` : item.raw;
    case "display": case "displayBracket": case "paren": case "boxed": case "dollar":
      return html`<${Mathematics} key=${key} tex=${item.tex} display=${item.display} />`;
    case "text": return item.tokens ? html`<span key=${key}>${tokens(item.tokens)}</span>` : unescaped(item.raw);
    case "escape": return item.text.length === 1 ? unescaped(item.raw).slice(1) : item.raw;
    default: return item.raw;
  }
}

/** A token as it was written; a code span without its quotes. */
function unescaped(raw) {
  const quoted = /^(`+)([\s\S]*?)\1$/.exec(raw);
  return quoted ? quoted[2].trim() : raw;
}

/** A text of any length. Long ones are cut, with a button for the rest. */
export function Text({ text, raw = false, language = "", compact = false }) {
  const [shown, show] = useState(SHOWN);
  const part = text.length > shown ? text.slice(0, shown) : text;
  const body = useMemo(() => {
    if (raw) return html`<div class="raw" dir="auto">${visible(part)}</div>`;
    if (language) return html`<${Code} text=${part} language=${language} />`;
    try {
      return html`<div class="rendered">${tokens(markdown.lexer(part.slice(0, SHOWN)))}${part.length > SHOWN ? html`<div class="raw">${part.slice(SHOWN)}</div>` : null}</div>`;
    } catch {
      return html`<div class="raw" dir="auto">${visible(part)}</div>`;
    }
  }, [part, raw, language]);
  return html`<div class=${compact ? "text compact" : "text"}>${body}
    ${text.length > shown && html`<p class="more"><button onClick=${() => show(shown < 10 * SHOWN ? 10 * SHOWN : text.length)}>
      Show more: ${number(shown)} of ${number(text.length)} characters are shown</button></p>`}
  </div>`;
}

/** Text in which characters that hide or turn others are named. */
function visible(text) {
  if (!/[\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/.test(text)) return text;
  const parts = text.split(/([\u0000-\u0008\u000b-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff]))/);
  return parts.map((part, n) => (n % 2 ? html`<span class="hidden-character" title="a character that is not seen">U+${part.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}</span>` : part));
}

export const number = (value) => Number(value).toLocaleString("en");
