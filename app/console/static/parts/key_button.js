/** A button that a single key presses as well; the key stands on it while keys are on. */

import { html } from "../core/html.js";
import { prefs } from "../core/prefs.js";
import { useStore } from "../core/store.js";

/**
 * The key itself is given by the page: `useShortcuts`.
 * @param {{shortcut: string, onClick: () => unknown, class?: string, disabled?: boolean, type?: string, children: unknown}} props
 */
export function KeyButton({ shortcut, children, type = "button", ...rest }) {
  const { shortcuts } = useStore(prefs);
  return html`<button type=${type} aria-keyshortcuts=${shortcuts ? shortcut.toUpperCase() : undefined} ...${rest}>
    ${children} ${shortcuts && html`<kbd aria-hidden="true">${shortcut.toUpperCase()}</kbd>`}
  </button>`;
}
