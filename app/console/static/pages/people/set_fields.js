/** Dialogs that set one field of several people. What changed meanwhile is left as it is. */

import { useChanges } from "../../core/changes.js";
import { html, useState } from "../../core/html.js";
import { isExact, readValue } from "../../core/json_text.js";
import { t } from "../../core/text.js";
import { Dialog } from "../../parts/dialog.js";
import { ExpiryField, fromLocal } from "../../parts/expiry_field.js";
import { Field } from "../../parts/field.js";
import { Notice, sentenceOf } from "../../parts/notice.js";
import { PersonName } from "../../parts/person_name.js";
import { Progress } from "../../parts/progress.js";

/** @param {{people: object[], onClose: (changed: boolean) => void, onUndone: () => void}} props */
export function SetExpiry({ people, onClose, onUndone }) {
  const [text, setText] = useState("");
  return html`<${SetField}
    title=${t("people.set_expiry_title", { count: people.length })}
    people=${people}
    changesOf=${() => ({ expires_at: fromLocal(text) })}
    done="people.expiry_set"
    onClose=${onClose}
    onUndone=${onUndone}
  >
    <${ExpiryField} value=${text} onInput=${setText} />
  <//>`;
}

/** @param {{people: object[], onClose: (changed: boolean) => void, onUndone: () => void}} props */
export function SetAttribute({ people, onClose, onUndone }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const error = value !== "" && !isExact(readValue(value)) ? t("people_parts.long_number") : null;
  // What a browser cannot hold, it would change: these people are left out.
  const exact = people.filter(({ attributes }) => isExact(attributes));
  const changesOf = ({ attributes }) => {
    const { [key.trim()]: _, ...others } = attributes;
    return { attributes: value === "" ? others : { ...others, [key.trim()]: readValue(value) } };
  };
  return html`<${SetField}
    title=${t("people.set_attribute_title", { count: people.length })}
    people=${exact}
    changesOf=${changesOf}
    done="people.attribute_set"
    ready=${key.trim() !== "" && error === null && exact.length > 0}
    onClose=${onClose}
    onUndone=${onUndone}
  >
    ${exact.length < people.length &&
    html`<${Notice} kind="warning">${t("people.inexact", { count: people.length - exact.length })}<//>`}
    <div class="form-grid">
      <${Field} label=${t("people.attribute")}>
        <input value=${key} autocomplete="off" autocapitalize="off" onInput=${(event) => setKey(event.target.value)} />
      <//>
      <${Field} label=${t("people.value")} hint=${t("people.set_value_hint")} error=${error}>
        <input value=${value} autocomplete="off" autocapitalize="off" onInput=${(event) => setValue(event.target.value)} />
      <//>
    </div>
  <//>`;
}

function SetField({ title, people, changesOf, done, ready = true, onClose, onUndone, children }) {
  const changes = useChanges();
  const { busy, failed } = changes;
  const tried = !busy && changes.of > 0;
  const save = async (event) => {
    event?.preventDefault();
    if (!ready || busy) return;
    const all = await changes.run(people, changesOf, (count) => t(done, { count }), onUndone);
    if (all) onClose(true);
  };
  return html`<${Dialog}
    title=${title}
    onClose=${() => busy || onClose(tried)}
    footer=${html`<button type="button" onClick=${() => onClose(tried)} disabled=${busy}>
        ${t(tried ? "frame.close" : "frame.cancel")}
      </button>
      ${!tried && html`<button needs="correct" type="button" class="primary" disabled=${!ready || busy} onClick=${save}>${t("people.change")}</button>`}`}
  >
    ${tried
      ? html`<${Notice} kind="danger" title=${t("people.not_changed", { count: failed.length })}>
          <ul>
            ${failed.map(
              ({ person, problem }) => html`<li key=${person.id}><${PersonName} person=${person} />: ${sentenceOf(problem)}</li>`,
            )}
          </ul>
        <//>`
      : html`<form onSubmit=${save}>${children}</form>`}
    ${busy && html`<${Progress} value=${changes.done} of=${changes.of} text=${t("people.changing", { done: changes.done, of: changes.of })} />`}
  <//>`;
}
