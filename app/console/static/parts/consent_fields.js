/** The fields of a consent, and what is sent of them. */

import { html } from "../core/html.js";
import { collection as present } from "../core/session.js";
import { useStore } from "../core/store.js";
import { loadTexts, t } from "../core/text.js";
import { ExpiryField, fromLocal } from "./expiry_field.js";
import { errorOf, Field } from "./field.js";

await loadTexts("consents");

/** The legal bases, as the service names them. */
export const BASES = [
  "explicit_consent",
  "consent",
  "written_release",
  "contract",
  "legal_obligation",
  "vital_interests",
  "public_task",
  "legitimate_interests",
  "employment_law",
  "legal_claims",
  "substantial_public_interest",
];

export const NO_CONSENT = { purpose: "", basis: BASES[0], text_version: "", source: "", until: "" };

/** The consent as it is sent; null without a purpose. @param {typeof NO_CONSENT} draft */
export function consentOf({ purpose, basis, text_version, source, until }) {
  if (purpose.trim() === "") return null;
  return {
    purpose: purpose.trim(),
    basis,
    text_version: text_version.trim() || null,
    source: source.trim() || null,
    until: fromLocal(until),
  };
}

/** @param {{draft: typeof NO_CONSENT, setDraft: (draft: typeof NO_CONSENT) => void, problem: Error | null, required?: boolean}} props */
export function ConsentFields({ draft, setDraft, problem, required = false }) {
  const set = (name) => (event) => setDraft({ ...draft, [name]: event.target.value });
  return html`<div class="form-stack">
    <${Field} label=${t("consents.purpose")} hint=${t("consents.purpose_hint")} error=${errorOf(problem, "purpose")}>
      <input required=${required} maxlength="256" autocomplete="off" value=${draft.purpose} onInput=${set("purpose")} />
    <//>
    <${Field} label=${t("consents.basis")} error=${errorOf(problem, "basis")}>
      <select value=${draft.basis} onChange=${set("basis")}>
        ${BASES.map((basis) => html`<option value=${basis} selected=${basis === draft.basis}>${t(`consents.basis_${basis}`)}</option>`)}
      </select>
    <//>
    <${Field} label=${t("consents.text_version")} error=${errorOf(problem, "text_version")}>
      <input maxlength="256" autocomplete="off" value=${draft.text_version} onInput=${set("text_version")} />
    <//>
    <${Field} label=${t("consents.source")} hint=${t("consents.source_hint")} error=${errorOf(problem, "source")}>
      <input maxlength="4096" autocomplete="off" value=${draft.source} onInput=${set("source")} />
    <//>
    <${ExpiryField}
      label=${t("consents.until")}
      value=${draft.until}
      onInput=${(until) => setDraft({ ...draft, until })}
      error=${errorOf(problem, "until")}
    />
  </div>`;
}

/** Whether the present collection enrolls people with a consent only. */
export const useDemanded = () => useStore(present)?.options?.people.require_consent ?? false;

/** The fields, where a consent is demanded. @param {Parameters<typeof ConsentFields>[0]} props */
export function DemandedConsent(props) {
  return (
    useDemanded() &&
    html`<fieldset>
      <legend>${t("consents.title")}</legend>
      <p class="muted">${t("consents.demanded")}</p>
      <${ConsentFields} ...${props} required />
    </fieldset>`
  );
}
