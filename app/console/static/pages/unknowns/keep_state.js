/** Whether this collection keeps unknown faces, and what that means for the list. */

import { html, useState } from "../../core/html.js";
import { href } from "../../core/router.js";
import { t } from "../../core/text.js";
import { Empty } from "../../parts/empty.js";
import { Notice } from "../../parts/notice.js";
import { KeepDialog } from "./keep_dialog.js";

const DAY_S = 86400;

/** @param {{known: any, collection: string, isEmpty: boolean}} props known: the collection, once it is read */
export function KeepState({ known, collection, isEmpty }) {
  const [turningOn, setTurningOn] = useState(false);
  if (!known?.options) return null;
  const { keep, retention_s: retentionS } = known.options.unknowns;
  if (keep) {
    const days = retentionS === null ? null : Math.round((100 * retentionS) / DAY_S) / 100;
    const time = days === null ? t("unknowns.kept_for_default") : t("unknowns.kept_for", { count: days });
    if (isEmpty && known.unknown_count === 0) {
      return html`<${Empty} text=${`${t("unknowns.empty")} ${time}`}>
        <a class="button" href=${href("identify")}>${t("unknowns.to_identify")}</a>
      <//>`;
    }
    const where = href("system", { query: { tab: "collections" } });
    return html`<p class="muted">${time} <a href=${where}>${t("unknowns.change_keeping")}</a></p>`;
  }
  const open = () => setTurningOn(true);
  return html`${isEmpty
    ? html`<${Empty} text=${t("unknowns.off")}>
        <button needs="admin" type="button" class="primary" onClick=${open}>${t("unknowns.turn_on_ask")}</button>
      <//>`
    : html`<${Notice}>
        ${t("unknowns.off_with_groups")}
        <button needs="admin" type="button" class="small" onClick=${open}>${t("unknowns.turn_on_ask")}</button>
      <//>`}
  ${turningOn && html`<${KeepDialog} collection=${collection} onClose=${() => setTurningOn(false)} />`}`;
}
