// Reports that lie beside the trees: evaluations, reward patterns of a training, votes.
import { html } from "./html.js";
import { data, useData } from "./data.js";
import { Bars, Table, percent, words } from "./parts.js";

export function Reports({ collection }) {
  const found = useData(() => data.reports(collection), [collection]);
  return html`${(found.value || []).map((report) => html`<section class="card" key=${report.file}><h2>${report.title}</h2><p class="minor">${report.file}</p>
    ${report.bars?.length > 0 && html`<${Bars} label=${report.title} rows=${report.bars.map((bar) => ({ name: words(bar.name), value: bar.value, of: report.share ? 1 : undefined, said: report.share ? percent(bar.value, 1) : bar.value.toPrecision(4), kind: bar.kind || "" }))} />`}
    ${report.rows?.length > 0 && html`<${Table} label=${report.title} head=${report.head} rows=${report.rows} />`}</section>`)}`;
}
