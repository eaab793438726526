/** Tabs, as links: each has an address, and Back leads to the one before. */

import { html } from "../core/html.js";

/**
 * @param {{label: string, tabs: {name: string, text: string, href: string}[], present: string}} props
 */
export const Tabs = ({ label, tabs, present }) =>
  html`<nav class="tabs" aria-label=${label}>
    ${tabs.map(
      ({ name, text, href }) =>
        html`<a href=${href} aria-current=${name === present ? "page" : undefined}>${text}</a>`,
    )}
  </nav>`;
