/** Receipts of the erasures of this tab. */

import { receipts } from "../../core/history.js";
import { html } from "../../core/html.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { Empty } from "../../parts/empty.js";
import { Receipts } from "../../parts/receipts.js";

export function KeptReceipts() {
  const kept = useStore(receipts);
  if (kept.length === 0) return html`<${Empty} text=${t("privacy.no_receipts")} />`;
  return html`<p class="muted">${t("privacy.receipts_lead")}</p>
    <${Receipts} receipts=${kept.map(({ receipt }) => receipt)} collections />`;
}
