/** Merging two people who are one: side by side, and who stays is named. */

import { ask, inCollection } from "../core/api.js";
import { note } from "../core/history.js";
import { html, useRef, useState } from "../core/html.js";
import { newKey } from "../core/idempotency.js";
import { useAction } from "../core/loading.js";
import { route } from "../core/router.js";
import { readCollection } from "../core/session.js";
import { loadTexts, t, tWith } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Compare } from "./compare.js";
import { Dialog } from "./dialog.js";
import { ProblemNotice } from "./notice.js";
import { nameOf, PersonName } from "./person_name.js";

await loadTexts("people_parts");

const TRIES = 3;

/** Who stays by default: who has a key of their own, else who was enrolled first. */
const firstChoice = ([a, b]) => (!a.external_id === !b.external_id ? (a.created_at <= b.created_at ? 0 : 1) : a.external_id ? 0 : 1);

/**
 * @param {object} props
 * @param {[object, object]} props.people as the service answered them, with `revision`
 * @param {(merged: object | null) => void} props.onClose with the receipt, or null
 * @param {() => void} [props.onChanged] instead of the problem that one of them changed, or is gone
 */
export function MergeDialog({ people, onClose, onChanged }) {
  const [at, setAt] = useState(() => firstChoice(people));
  const key = useRef(newKey());
  const [stays, goes] = [people[at], people[1 - at]];
  const call = () => ({
    method: "POST",
    path: `${inCollection(route.get().collection, "identities")}:merge`,
    json: { into: stays.id, from: [goes.id], if_revision: Math.min(stays.revision, goes.revision) },
    headers: { "idempotency-key": `${key.current}-${at}` },
  });
  const merge = useAction(async () => {
    let receipt;
    try {
      receipt = await ask({ ...call(), tries: TRIES });
    } catch (problem) {
      if (!onChanged || (problem.status !== 404 && problem.code !== "revision_conflict")) throw problem;
      onChanged();
      return;
    }
    const final = t("people_parts.merge_is_final"); // said where somebody presses the key for undo
    note(t("people_parts.merged", { stays: nameOf(stays), goes: nameOf(goes) }), { final });
    await readCollection();
    onClose(receipt);
  });
  const names = {
    stays: () => html`<${PersonName} person=${stays} />`,
    goes: () => html`<${PersonName} person=${goes} />`,
  };
  return html`<${Dialog}
    wide
    title=${t("people_parts.merge_title")}
    onClose=${() => onClose(null)}
    footer=${html`<button type="button" data-first-focus onClick=${() => onClose(null)}>${t("frame.cancel")}</button>
      <button needs="correct" type="button" class="danger primary" disabled=${merge.busy} onClick=${() => merge.run()}>
        <span>${tWith("people_parts.merge_button", names)}</span>
      </button>`}
  >
    <p>${t("people_parts.merge_lead")}</p>
    <${Compare} sides=${people.map((person) => ({ person }))} />
    <fieldset>
      <legend>${t("people_parts.merge_stays")}</legend>
      ${people.map(
        (person, place) => html`<label class="check" key=${person.id}>
          <input type="radio" name="stays" checked=${place === at} onChange=${() => setAt(place)} />
          <${PersonName} person=${person} />
          <small class="muted">
            ${person.external_id ? html`<bdi>${person.external_id}</bdi>` : t(place === 0 ? "people_parts.choice_a" : "people_parts.choice_b")}
          </small>
        </label>`,
      )}
    </fieldset>
    <p>${tWith("people_parts.merge_what", names)}</p>
    <${ProblemNotice} problem=${merge.problem} />
    <${AsRequestButton} call=${call} />
  <//>`;
}
