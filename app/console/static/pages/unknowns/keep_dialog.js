/** Turning the inbox on: what it keeps, of whom, and for how long. */

import { ask, inCollection } from "../../core/api.js";
import { html, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { readCollection } from "../../core/session.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Dialog } from "../../parts/dialog.js";
import { errorOf, Field } from "../../parts/field.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";

const DAY_S = 86400;
const DAYS = 7; // short: none of these people was asked

/** @param {{collection: string, onClose: () => void}} props */
export function KeepDialog({ collection, onClose }) {
  const [days, setDays] = useState(String(DAYS));
  const [crops, setCrops] = useState(false);
  const call = () => {
    const unknowns = { keep: true, retention_s: Math.round(Number(days) * DAY_S), ...(crops ? { crops: true } : {}) };
    return { method: "PATCH", path: inCollection(collection), json: { options: { unknowns } } };
  };
  const send = useAction(async () => {
    await ask(call());
    await readCollection();
    onClose();
  });
  const error = errorOf(send.problem, "retention_s");
  return html`<${Dialog}
    title=${t("unknowns.turn_on_title")}
    onClose=${onClose}
    footer=${html`<button type="button" data-first-focus onClick=${onClose}>${t("frame.cancel")}</button>
      <button needs="admin" class="primary" form="keep-unknowns" disabled=${send.busy}>${t("unknowns.turn_on")}</button>`}
  >
    <form
      id="keep-unknowns"
      onSubmit=${(event) => {
        event.preventDefault();
        send.run();
      }}
    >
      <p>${t("unknowns.what_is_kept")}</p>
      <${Notice} kind="warning">${t("unknowns.no_consent")}<//>
      <${Field} label=${t("unknowns.days")} hint=${t("unknowns.days_hint")} error=${error}>
        <input type="number" min="0.01" step="any" required value=${days} onInput=${(event) => setDays(event.target.value)} />
      <//>
      <label class="check">
        <input type="checkbox" checked=${crops} onChange=${(event) => setCrops(event.target.checked)} />
        ${t("unknowns.keep_crops")}
      </label>
      ${!error && html`<${ProblemNotice} problem=${send.problem} />`}
      <p><${AsRequestButton} call=${call} /></p>
    </form>
  <//>`;
}
