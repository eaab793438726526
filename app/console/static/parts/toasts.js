/** Toasts: what was just done, with its undo. They wait while the pointer or the focus is on them. */

import { dismissToast, note, toasts, undo } from "../core/history.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { sentenceOf } from "./notice.js";

const TICK_MS = 250;

export function Toasts() {
  const shown = useStore(toasts);
  return html`<div class="toasts" role="region" aria-label=${t("frame.toasts")}>
    ${shown.map((toast) => html`<${Toast} key=${toast.id} toast=${toast} />`)}
  </div>`;
}

function Toast({ toast }) {
  const [leftMs, setLeftMs] = useState(toast.until - Date.now());
  const held = useRef(false);
  useEffect(() => {
    let last = Date.now();
    const timer = setInterval(() => {
      const now = Date.now();
      const passed = now - last;
      last = now;
      if (!held.current) setLeftMs((left) => left - passed);
    }, TICK_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    if (leftMs <= 0) dismissToast(toast.id);
  }, [leftMs <= 0]);
  const hold = (value) => () => {
    held.current = value;
  };
  return html`<div
    class=${`toast ${toast.kind}`}
    role="status"
    onMouseEnter=${hold(true)}
    onMouseLeave=${hold(false)}
    onFocusIn=${hold(true)}
    onFocusOut=${hold(false)}
  >
    <span>${toast.text}</span>
    ${toast.undo &&
    html`<button type="button" class="small" onClick=${() => undoAndSay(toast.id)}>
      ${t("frame.undo_within", { seconds: Math.max(0, Math.ceil(leftMs / 1000)) })}
    </button>`}
    <button type="button" class="icon" aria-label=${t("frame.close")} onClick=${() => dismissToast(toast.id)}>✕</button>
  </div>`;
}

/** Undo an action, the latest without an id, and say what came of it. */
export async function undoAndSay(id) {
  try {
    const outcome = await undo(id);
    if (outcome) note(outcome === true ? t("frame.undone") : outcome, { kind: "note" });
    else if (id === undefined) note(t("frame.nothing_to_undo"), { kind: "note" });
  } catch (problem) {
    note(sentenceOf(problem), { kind: "failed" });
  }
}
