/** The head of a page: its title, which takes the focus at each route, a sentence, its actions. */

import { html } from "../core/html.js";

/** @param {{title: string, lead?: unknown, children?: unknown}} props */
export const PageHead = ({ title, lead, children }) =>
  html`<header class="page-head">
    <div>
      <h1 id="page-title" tabindex="-1">${title}</h1>
      ${lead && html`<p class="lead">${lead}</p>`}
    </div>
    ${children && html`<div class="row">${children}</div>`}
  </header>`;
