/** Selecting several rows: by checkbox, by Shift-click, all by Ctrl+A; and what to do with them. */

import { html, useEffect, useRef, useState } from "../core/html.js";
import { t } from "../core/text.js";

/**
 * The selection of a list. It forgets rows that are no longer shown.
 * @param {string[]} ids of the rows, in order
 */
export function useSelection(ids) {
  const [chosen, setChosen] = useState(() => new Set());
  const last = useRef(null);
  const shown = new Set(ids);
  const selected = ids.filter((id) => chosen.has(id));
  const toggle = (id, event) => {
    const wanted = !chosen.has(id);
    const from = ids.indexOf(last.current);
    const to = ids.indexOf(id);
    const touched = event?.shiftKey && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
    last.current = id;
    setChosen((present) => {
      const next = new Set([...present].filter((one) => shown.has(one)));
      for (const one of touched) wanted ? next.add(one) : next.delete(one);
      return next;
    });
  };
  const all = () => setChosen(new Set(ids));
  const none = () => setChosen(new Set());
  useEffect(() => {
    const onKey = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== "a") return;
      if (event.target.closest?.("input:not([type=checkbox]), textarea, dialog")) return;
      event.preventDefault();
      setChosen(new Set(ids));
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [ids.join()]);
  return { selected, has: (id) => chosen.has(id), toggle, all, none };
}

/** The checkbox of a row. @param {{selection: any, id: string, label: string}} props */
export const SelectBox = ({ selection, id, label }) =>
  html`<input
    type="checkbox"
    class="select"
    checked=${selection.has(id)}
    aria-label=${t("frame.select", { name: label })}
    onClick=${(event) => selection.toggle(id, event)}
  />`;

/** What to do with the selected rows; nothing is shown while none is. */
export const SelectBar = ({ selection, children }) =>
  selection.selected.length > 0 &&
  html`<div class="select-bar row" role="region" aria-label=${t("frame.selection")}>
    <strong>${t("frame.selected", { count: selection.selected.length })}</strong>
    ${children}
    <button type="button" class="quiet" onClick=${selection.none}>${t("frame.select_none")}</button>
  </div>`;
