/** Dismissals that wait, with the seconds that are left to undo them. */

import { html, useEffect, useState } from "../../core/html.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { keepAll, leaving } from "./dismissals.js";

const TICK_MS = 250;

export function LeavingBar() {
  const going = useStore(leaving);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (going.length === 0) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [going]);
  if (going.length === 0) return null;
  const last = Math.max(...going.map(({ until }) => until));
  const seconds = Math.max(0, Math.ceil((last - now) / 1000));
  return html`<p class="notice warning row">
    <span>${t("unknowns.leaving", { count: going.length, seconds })}</span>
    <button type="button" class="small" onClick=${keepAll}>${t("unknowns.keep_all", { count: going.length })}</button>
  </p>`;
}
