/** Dialogs: modal, closed by Escape, with the focus back at what opened them. */

import { html, useId, useLayoutEffect, useRef } from "../core/html.js";
import { t } from "../core/text.js";

/**
 * A dialog, shown as long as it is rendered. `footer` holds its buttons; what has
 * `data-first-focus` has the focus first, else the title.
 * @param {{title: string, onClose: () => void, footer?: unknown, wide?: boolean, children: unknown}} props
 */
export function Dialog({ title, onClose, footer, wide = false, children }) {
  const dialog = useRef(null);
  const id = useId();
  const close = useRef(onClose);
  close.current = onClose;
  const leaving = useRef(false);
  // At once: what is typed next is meant for it, and no shortcut of the page.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const shown = dialog.current;
    shown.showModal();
    (shown.querySelector("[data-first-focus]") ?? shown.querySelector("h2")).focus();
    return () => {
      leaving.current = true;
      shown.close();
      // What opened it may be gone, with the row that it stood in: then the page's title.
      const back = opener?.isConnected && opener !== document.body ? opener : document.getElementById("page-title");
      back?.focus({ preventScroll: true });
    };
  }, []);
  return html`<dialog
    ref=${dialog}
    class=${wide ? "dialog wide" : "dialog"}
    aria-labelledby=${id}
    onClose=${(event) => {
      // A second Escape closes it without asking: browsers let no page hold its user.
      if (event.target !== dialog.current || leaving.current) return;
      close.current();
      // One that stays, as its erasure is being stopped, is shown again.
      requestAnimationFrame(() => dialog.current?.open === false && dialog.current.showModal());
    }}
    onCancel=${(event) => {
      if (event.target !== dialog.current) return; // a file field is cancelled, too
      event.preventDefault();
      close.current();
    }}
  >
    <div class="dialog-head">
      <h2 id=${id} tabindex="-1">${title}</h2>
      <button type="button" class="icon" aria-label=${t("frame.close")} onClick=${onClose}>✕</button>
    </div>
    <div class="dialog-body">${children}</div>
    ${footer && html`<div class="dialog-foot">${footer}</div>`}
  </dialog>`;
}
