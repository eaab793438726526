/** How far something has come. */

import { html } from "../core/html.js";

/** @param {{value: number, of: number, text: string}} props */
export const Progress = ({ value, of, text }) =>
  html`<div class="progress">
    <progress value=${value} max=${of || 1} aria-label=${text}></progress>
    <span>${text}</span>
  </div>`;
