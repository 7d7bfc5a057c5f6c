// Templates without a build step; everything is made of nodes, never of HTML text.
import { h, render } from "preact";
import htm from "htm";

export const html = htm.bind(h);
export { h, render };
