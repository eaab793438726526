/** Giving a group a name: a new person, or one of those who are called so already. */

import { ifStill } from "../../core/draft.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { consentOf, DemandedConsent, NO_CONSENT } from "../../parts/consent_fields.js";
import { errorOf, Field } from "../../parts/field.js";
import { KeyButton } from "../../parts/key_button.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";
import { PersonName } from "../../parts/person_name.js";
import { name as enroll, nameCall, namesakes } from "./actions.js";

/**
 * @param {object} props
 * @param {string} props.collection
 * @param {string} props.groupId
 * @param {string[]} props.faceIds that are enrolled: those that are shown, or chosen
 * @param {number} props.chosen how many are chosen; 0: all are meant
 * @param {{current: HTMLInputElement | null}} props.field takes the focus at the key N
 * @param {() => void} props.onDone the faces left the inbox
 * @param {() => void} props.onChanged the group is no longer what is shown
 */
export function NameForm({ collection, groupId, faceIds, chosen, field, onDone, onChanged }) {
  const [text, setText] = useState("");
  const [externalId, setExternalId] = useState("");
  const [consent, setConsent] = useState(NO_CONSENT); // often that of the next person, too
  const [found, setFound] = useState([]);
  const first = useRef(null);
  useEffect(() => first.current?.focus(), [found]);
  const who = () => ({ name: text.trim(), external_id: externalId.trim() || undefined, consent: consentOf(consent) ?? undefined });
  const send = useAction(async (identityId) => {
    try {
      await enroll(collection, groupId, identityId ? { identity_id: identityId } : who(), faceIds);
    } catch (problem) {
      setFound([]);
      if (problem.status === 404) onChanged();
      throw problem; // the name stays in its field
    }
    setText(ifStill(text, ""));
    setExternalId(ifStill(externalId, ""));
    setFound([]);
    onDone();
  });
  const ask = useAction(async () => {
    const people = await namesakes(collection, text.trim());
    if (people.length === 0) await send.run(null);
    setFound(people);
  });
  const busy = send.busy || ask.busy;
  const problem = send.problem ?? ask.problem;
  const submit = (event) => {
    event.preventDefault();
    if (text.trim() !== "") ask.run();
  };
  return html`<form class="name-form" data-form-of=${groupId} onSubmit=${submit}>
    <div class="row">
      <${Field} label=${t("unknowns.name")} error=${errorOf(problem, "name")}>
        <input
          ref=${field}
          value=${text}
          autocomplete="off"
          maxlength="256"
          onInput=${(event) => setText(event.target.value)}
          onKeyDown=${(event) => event.key === "Escape" && toList()}
        />
      <//>
      <${Field} label=${t("unknowns.external_id")} error=${errorOf(problem, "external_id")}>
        <input
          value=${externalId}
          autocomplete="off"
          maxlength="256"
          onInput=${(event) => setExternalId(event.target.value)}
        />
      <//>
      <${KeyButton} needs="enroll" type="submit" shortcut="n" class="primary" disabled=${busy}>
        ${chosen > 0 ? t("unknowns.name_chosen", { count: chosen }) : t("unknowns.name_all")}
      <//>
      <${AsRequestButton} call=${() => nameCall(collection, groupId, who(), faceIds)} />
    </div>
    <${DemandedConsent} draft=${consent} setDraft=${setConsent} problem=${problem} />
    ${found.length > 0 &&
    html`<${Notice} kind="warning" title=${t("unknowns.same_name", { count: found.length })}>
      <ul class="plain">
        ${found.map(
          (person, place) => html`<li key=${person.id} class="row">
            <${PersonName} person=${person} />
            <button
              needs="enroll" type="button"
              ref=${place === 0 ? first : undefined}
              disabled=${send.busy}
              onClick=${() => send.run(person.id)}
            >
              ${t("unknowns.add_to_this")}
            </button>
          </li>`,
        )}
      </ul>
      <p class="row">
        <button needs="enroll" type="button" disabled=${send.busy} onClick=${() => send.run(null)}>
          ${t("unknowns.another_person")}
        </button>
        <button type="button" class="quiet" onClick=${() => setFound([])}>${t("frame.cancel")}</button>
      </p>
    <//>`}
    ${problem && problem.status !== 404 && html`<${ProblemNotice} problem=${problem} />`}
  </form>`;
}

/** From the field back to the list, where single keys work. */
const toList = () => document.querySelector("[data-group][aria-current]")?.focus();
