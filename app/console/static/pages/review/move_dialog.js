/** "Move to…": the person whom a face shows, or a new one. */

import { html, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Dialog } from "../../parts/dialog.js";
import { errorOf, Field } from "../../parts/field.js";
import { ProblemNotice } from "../../parts/notice.js";
import { PersonPicker } from "../../parts/person_picker.js";
import { moveCall } from "./actions.js";

/**
 * @param {object} props
 * @param {string} props.collection
 * @param {any} props.finding
 * @param {(who: object, force: boolean) => Promise<void>} props.onMove
 * @param {() => void} props.onClose
 */
export function MoveDialog({ collection, finding, onMove, onClose }) {
  const [name, setName] = useState("");
  const [who, setWho] = useState(null); // whom it was last tried with
  const send = useAction(async (target, force = false) => {
    setWho(target);
    await onMove(target, force);
    onClose();
  });
  const refused = send.problem?.status === 409;
  return html`<${Dialog}
    title=${t("review.move_title")}
    onClose=${onClose}
    footer=${html`<button type="button" onClick=${onClose}>${t("frame.cancel")}</button>
      ${refused &&
      html`<button needs="correct" type="button" disabled=${send.busy} onClick=${() => send.run(who, true)}>
        ${t("review.move_by_force")}
      </button>`}`}
  >
    <${ProblemNotice} problem=${send.problem} />
    <${PersonPicker}
      first
      collection=${collection}
      exclude=${[finding.identity.identity_id]}
      onPick=${(person) => send.run({ identity_id: person.id })}
    />
    <form
      class="row aligned-end"
      onSubmit=${(event) => {
        event.preventDefault();
        if (name.trim()) send.run({ name: name.trim() });
      }}
    >
      <${Field} label=${t("review.new_person")} error=${errorOf(send.problem, "name")}>
        <input value=${name} autocomplete="off" maxlength="256" onInput=${(event) => setName(event.target.value)} />
      <//>
      <button needs="correct" disabled=${send.busy}>${t("review.move_to_new")}</button>
    </form>
    <${AsRequestButton} call=${() => moveCall(collection, finding.face_id, who ?? { name: name.trim() })} />
  <//>`;
}
