/** The audit log: who did what, newest first; found by a person, or by a receipt. */

import { ask } from "../../core/api.js";
import { dayAndTime } from "../../core/format.js";
import { html } from "../../core/html.js";
import { useAction, useLoaded } from "../../core/loading.js";
import { setQuery, useRoute } from "../../core/router.js";
import { saveBlob } from "../../core/save_file.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Empty } from "../../parts/empty.js";
import { Field } from "../../parts/field.js";
import { ProblemNotice } from "../../parts/notice.js";
import { Pager, placeOf } from "../../parts/pager.js";
import { Table } from "../../parts/table.js";

const ROWS = 50;

export function Audit({ collection }) {
  const { query } = useRoute();
  const { cursor } = placeOf(query);
  const isReceipt = query.by === "receipt";
  const wanted = {
    identity_id: isReceipt ? null : (query.about ?? null),
    receipt_id: isReceipt ? (query.about ?? null) : null,
    collection: query.here ? collection : null,
  };
  const call = { path: "audit", query: { ...wanted, limit: ROWS, cursor } };
  const keys = [query.about, query.by, wanted.collection, cursor];
  const saving = useAction(async () => {
    saveBlob("audit.jsonl", await ask({ path: "audit", query: { ...wanted, format: "jsonl" } }));
  });
  const { data, problem, busy, reload } = useLoaded((signal) => ask({ ...call, signal }), keys);
  return html`<section aria-labelledby="audit">
    <div class="row">
      <h2 id="audit">${t("privacy.audit")}</h2>
      <${AsRequestButton} call=${call} />
      <button type="button" class="quiet small" needs="audit" disabled=${saving.busy} onClick=${saving.run}>${t("privacy.audit_save")}</button>
    </div>
    <p class="muted">${t("privacy.audit_text")}</p>
    <${ProblemNotice} problem=${saving.problem} />
    <${Find} key=${query.about ?? ""} query=${query} collection=${collection} />
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data !== null &&
    (data.lines.length === 0
      ? html`<${Empty} text=${t("privacy.audit_none")} />`
      : html`<${Table} kind="wide" caption=${t("privacy.audit")} columns=${columns()} rows=${data.lines} keyOf=${({ id }) => id} busy=${busy} />`)}
    <${Pager} nextCursor=${data?.next_cursor ?? null} label=${t("privacy.audit")} />
  </section>`;
}

/** What to find: by the id of a person or of a receipt, in all collections or the present one. */
function Find({ query, collection }) {
  const find = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    const about = form.get("about").trim() || null;
    const by = about && form.get("by") === "receipt" ? "receipt" : null;
    setQuery({ about, by, here: form.get("here") ? "1" : null, after: null, before: null });
  };
  return html`<form class="card" onSubmit=${find}>
    <${Field} label=${t("privacy.audit_about")} hint=${t("privacy.audit_about_hint")}>
      <input name="about" autocomplete="off" maxlength="32" pattern="[0-9a-f]{32}" defaultValue=${query.about ?? ""} />
    <//>
    <p class="row">
      <label class="row">
        ${t("privacy.audit_by")}
        <select name="by" defaultValue=${query.by ?? "person"}>
          <option value="person" selected=${query.by !== "receipt"}>${t("privacy.audit_by_person")}</option>
          <option value="receipt" selected=${query.by === "receipt"}>${t("privacy.audit_by_receipt")}</option>
        </select>
      </label>
      <label class="row">
        <input type="checkbox" name="here" defaultChecked=${Boolean(query.here)} />
        <span>${t("privacy.audit_here", { name: collection })}</span>
      </label>
      <button>${t("privacy.audit_find")}</button>
    </p>
  </form>`;
}

const columns = () => [
  { name: "at", text: t("privacy.audit_at"), heads: true, cell: ({ at }) => dayAndTime(at) },
  { name: "who", text: t("privacy.audit_who"), cell: WhoCell },
  { name: "action", text: t("privacy.audit_action"), cell: ({ action }) => html`<code>${action}</code>` },
  { name: "collection", text: t("privacy.collection"), cell: ({ collection }) => html`<bdi>${collection ?? "—"}</bdi>` },
  { name: "person", text: t("privacy.person"), cell: PersonCell },
  { name: "outcome", text: t("privacy.audit_outcome"), cell: OutcomeCell },
];

const WhoCell = ({ principal, address }) =>
  html`<bdi>${principal === "none" ? t("privacy.audit_no_key") : principal}</bdi> ${address && html`<span class="muted">${address}</span>`}`;

/** A line holds no name, and the person may be erased: their id leads to their other lines. */
function PersonCell({ identity_id: id }) {
  if (id === null) return "—";
  const show = () => setQuery({ about: id, by: null, after: null, before: null });
  return html`<button type="button" class="quiet" title=${t("privacy.audit_lines_of")} onClick=${show}><code>${id}</code></button>`;
}

function OutcomeCell({ outcome, receipt_id: receipt }) {
  if (outcome === "done" && receipt === null) return t("privacy.audit_done");
  if (receipt === null) return html`<code>${outcome}</code>`; // the code of an error
  const show = () => setQuery({ about: receipt, by: "receipt", after: null, before: null });
  return html`<button type="button" class="quiet" onClick=${show}>${t("privacy.audit_receipt")} <code>${receipt.slice(0, 8)}</code></button>`;
}
