/** The fields of a person, to be changed. Only what was changed is sent, and nothing is overwritten. */

import { ask } from "../../core/api.js";
import { changePerson } from "../../core/changes.js";
import { useDraft } from "../../core/draft.js";
import { note } from "../../core/history.js";
import { html } from "../../core/html.js";
import { asText, isExact, readAttributes } from "../../core/json_text.js";
import { useAction } from "../../core/loading.js";
import { route } from "../../core/router.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { AttributesField } from "../../parts/attributes_field.js";
import { asLocal, ExpiryField, fromLocal } from "../../parts/expiry_field.js";
import { errorOf, Field } from "../../parts/field.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";

const textsOf = (person) => ({
  name: person.name ?? "",
  external_id: person.external_id ?? "",
  attributes: asText(person.attributes),
  expires_at: asLocal(person.expires_at),
  threshold: person.threshold === null ? "" : String(person.threshold),
});

const READ = {
  name: (text) => text.trim() || null,
  external_id: (text) => text.trim() || null,
  attributes: (text) => readAttributes(text).value,
  expires_at: fromLocal,
  threshold: (text) => (text.trim() === "" ? null : Number(text)),
};

/** Whether a text means another value; spaces around a name change nothing. */
const isOther = (name, text, former) => meaningOf(name, text) !== meaningOf(name, former);
const meaningOf = (name, text) => JSON.stringify(READ[name](text), (_, value) => (Number.isNaN(value) ? "no number" : value));

/** @param {{person: object, onChanged: () => void}} props */
export function Details({ person, onChanged }) {
  const former = textsOf(person);
  const { texts: draft, set, discard } = useDraft(former);
  const input = (name) => (event) => set(name)(event.target.value);
  const names = Object.keys(draft).filter((name) => isOther(name, draft[name], former[name]));
  const changes = Object.fromEntries(names.map((name) => [name, READ[name](draft[name])]));
  const { collection } = route.get();
  const call = changePerson(collection, person, changes);
  const save = useAction(async () => {
    const after = await ask(call);
    const before = Object.fromEntries(names.map((name) => [name, person[name]]));
    note(t("person.saved"), {
      undo: async () => {
        await ask(changePerson(collection, after, before));
        onChanged();
      },
    });
    onChanged();
  });
  const { problem } = save;
  const onDiscard = () => (discard(), save.clear());
  const wrong = readAttributes(draft.attributes).error !== null || Number.isNaN(changes.threshold);
  const changedMeanwhile = problem?.code === "revision_conflict";
  return html`<form
    class="card"
    onSubmit=${(event) => {
      event.preventDefault();
      if (!wrong && names.length > 0) save.run();
    }}
  >
    <h2>${t("person.details")}</h2>
    ${changedMeanwhile
      ? html`<${Notice} kind="warning" title=${t("person.changed_meanwhile")}>
          <p>${t("person.changed_meanwhile_text")}</p>
          <button type="button" onClick=${() => (onDiscard(), onChanged())}>${t("frame.reload")}</button>
        <//>`
      : html`<${ProblemNotice} problem=${problem} />`}
    <div class="form-stack">
      <${Field} label=${t("person.name")} error=${errorOf(problem, "name")}>
        <input value=${draft.name} dir="auto" maxlength="256" onInput=${input("name")} />
      <//>
      <${Field} label=${t("person.external_id")} hint=${t("person.external_id_hint")} error=${errorOf(problem, "external_id")}>
        <input value=${draft.external_id} dir="auto" maxlength="256" onInput=${input("external_id")} />
      <//>
      <${ExpiryField} value=${draft.expires_at} onInput=${set("expires_at")} error=${errorOf(problem, "expires_at")} />
      <${Field}
        label=${t("person.threshold")}
        hint=${t("person.threshold_hint")}
        error=${Number.isNaN(changes.threshold) ? t("person.threshold_number") : errorOf(problem, "threshold")}
      >
        <input inputmode="decimal" value=${draft.threshold} onInput=${input("threshold")} />
      <//>
      ${isExact(person.attributes)
        ? html`<${AttributesField} value=${draft.attributes} onInput=${set("attributes")} error=${errorOf(problem, "attributes")} />`
        : html`<${Notice} kind="warning">${t("person.attributes_inexact")}<//>`}
    </div>
    <p class="row">
      <button needs="correct" type="submit" class="primary" disabled=${wrong || names.length === 0 || save.busy}>${t("frame.save")}</button>
      ${names.length > 0 &&
      html`<button type="button" onClick=${onDiscard}>${t("person.discard")}</button>
        <${AsRequestButton} call=${() => call} />`}
    </p>
  </form>`;
}
