/** Who a new person is. */

import { html } from "../../core/html.js";
import { t } from "../../core/text.js";
import { AttributesField } from "../../parts/attributes_field.js";
import { ExpiryField } from "../../parts/expiry_field.js";
import { errorOf, Field } from "../../parts/field.js";

export const EMPTY = { name: "", external_id: "", attributes: "", expires_at: "" };

/** @param {{draft: typeof EMPTY, setDraft: (draft: typeof EMPTY) => void, problem: Error | null}} props */
export function PersonFields({ draft, setDraft, problem }) {
  const set = (name) => (text) => setDraft({ ...draft, [name]: text });
  const input = (name) => (event) => set(name)(event.target.value);
  const taken = problem?.code === "external_id_taken" ? problem.detail : null;
  return html`<div class="form-stack">
    <${Field} label=${t("enroll.name")} error=${errorOf(problem, "name")}>
      <input value=${draft.name} dir="auto" maxlength="256" autocomplete="off" onInput=${input("name")} />
    <//>
    <${Field} label=${t("enroll.external_id")} hint=${t("enroll.external_id_hint")} error=${taken ?? errorOf(problem, "external_id")}>
      <input value=${draft.external_id} dir="auto" maxlength="256" autocomplete="off" onInput=${input("external_id")} />
    <//>
    <details>
      <summary>${t("enroll.more_fields")}</summary>
      <div class="form-stack">
        <${ExpiryField} value=${draft.expires_at} onInput=${set("expires_at")} error=${errorOf(problem, "expires_at")} />
        <${AttributesField} value=${draft.attributes} onInput=${set("attributes")} error=${errorOf(problem, "attributes")} />
      </div>
    </details>
  </div>`;
}
