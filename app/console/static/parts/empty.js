/** An empty place: one sentence, and what to do about it. */

import { html } from "../core/html.js";

/** @param {{text: string, children?: unknown}} props */
export const Empty = ({ text, children }) =>
  html`<div class="empty">
    <p>${text}</p>
    ${children && html`<p class="row">${children}</p>`}
  </div>`;
