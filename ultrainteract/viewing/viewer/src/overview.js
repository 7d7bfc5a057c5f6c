import { html } from "./html.js";
import { Waiting } from "./parts.js";
export function Overview() { return html`<main><${Waiting} /></main>`; }
