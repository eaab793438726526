/** Who a new person is. */

import { html } from "../../core/html.js";
import { collection as present } from "../../core/session.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { AttributesField } from "../../parts/attributes_field.js";
import { ConsentFields, consentOf, NO_CONSENT } from "../../parts/consent_fields.js";
import { ExpiryField } from "../../parts/expiry_field.js";
import { errorOf, Field } from "../../parts/field.js";

export const EMPTY = { name: "", external_id: "", attributes: "", expires_at: "", consent: NO_CONSENT };

/** Whether a draft has the consent that its collection demands. */
export const hasConsent = (draft, collection) => !collection?.options?.people.require_consent || consentOf(draft.consent) !== null;

/** @param {{draft: typeof EMPTY, setDraft: (draft: typeof EMPTY) => void, problem: Error | null}} props */
export function PersonFields({ draft, setDraft, problem }) {
  const set = (name) => (text) => setDraft({ ...draft, [name]: text });
  const input = (name) => (event) => set(name)(event.target.value);
  const demanded = useStore(present)?.options?.people.require_consent ?? false;
  const consent = html`<${ConsentFields}
    draft=${draft.consent}
    setDraft=${(consent) => setDraft({ ...draft, consent })}
    problem=${problem}
    required=${demanded}
  />`;
  const taken = problem?.code === "external_id_taken" ? problem.detail : null;
  return html`<div class="form-stack">
    <${Field} label=${t("enroll.name")} error=${errorOf(problem, "name")}>
      <input value=${draft.name} dir="auto" maxlength="256" autocomplete="off" onInput=${input("name")} />
    <//>
    <${Field} label=${t("enroll.external_id")} hint=${t("enroll.external_id_hint")} error=${taken ?? errorOf(problem, "external_id")}>
      <input value=${draft.external_id} dir="auto" maxlength="256" autocomplete="off" onInput=${input("external_id")} />
    <//>
    ${demanded
      ? html`<fieldset>
          <legend>${t("consents.title")}</legend>
          <p class="muted">${t("consents.demanded")}</p>
          ${consent}
        </fieldset>`
      : html`<details>
          <summary>${t("consents.more")}</summary>
          ${consent}
        </details>`}
    <details>
      <summary>${t("enroll.more_fields")}</summary>
      <div class="form-stack">
        <${ExpiryField} value=${draft.expires_at} onInput=${set("expires_at")} error=${errorOf(problem, "expires_at")} />
        <${AttributesField} value=${draft.attributes} onInput=${set("attributes")} error=${errorOf(problem, "attributes")} />
      </div>
    </details>
  </div>`;
}
