/** "It is…": the faces of a group become faces of somebody who is enrolled. */

import { html, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Compare } from "../../parts/compare.js";
import { Dialog } from "../../parts/dialog.js";
import { ProblemNotice } from "../../parts/notice.js";
import { nameOf } from "../../parts/person_name.js";
import { PersonPicker } from "../../parts/person_picker.js";
import { cropOfUnknown, Thumb } from "../../parts/thumb.js";
import { name as enroll, nameCall } from "./actions.js";

/**
 * @param {object} props
 * @param {string} props.collection
 * @param {string} props.groupId
 * @param {any[]} props.faces that are added: those that are shown, or chosen
 * @param {() => void} props.onClose
 * @param {() => void} props.onDone they left the inbox
 * @param {() => void} props.onChanged the group is no longer what is shown
 */
export function ItIsDialog({ collection, groupId, faces, onClose, onDone, onChanged }) {
  const [person, setPerson] = useState(null);
  const faceIds = faces.map(({ id }) => id);
  const send = useAction(async () => {
    try {
      await enroll(collection, groupId, { identity_id: person.id }, faceIds);
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      onChanged();
      return;
    }
    onDone();
  });
  const footer = html`<button type="button" onClick=${person ? () => setPerson(null) : onClose}>
      ${person ? t("unknowns.somebody_else") : t("frame.cancel")}
    </button>
    ${person &&
    html`<button needs="enroll" type="button" class="primary" data-first-focus disabled=${send.busy} onClick=${send.run}>
      ${t("unknowns.it_is_person", { count: faces.length, name: nameOf(person) })}
    </button>`}`;
  return html`<${Dialog} key=${person?.id} wide title=${t("unknowns.it_is_title")} onClose=${onClose} footer=${footer}>
    ${person === null
      ? html`<${PersonPicker} first collection=${collection} onPick=${setPerson} />`
      : html`<${Compare}
            sides=${[
              {
                title: t("unknowns.these_faces", { count: faces.length }),
                content: html`<${Faces} groupId=${groupId} faces=${faces} />`,
              },
              { title: t("unknowns.enrolled_as"), person },
            ]}
          />
          <p class="muted">${t("unknowns.naming_is_final")}</p>
          <${AsRequestButton} call=${() => nameCall(collection, groupId, { identity_id: person.id }, faceIds)} />`}
    <${ProblemNotice} problem=${send.problem} />
  <//>`;
}

const Faces = ({ groupId, faces }) =>
  html`<ul class="face-row">
    ${faces.toReversed().map(
      (face) => html`<li key=${face.id}>
        <${Thumb}
          large
          id=${groupId}
          name="?"
          faceId=${face.id}
          crop=${face.has_crop ? cropOfUnknown(groupId, face.id) : null}
        />
      </li>`,
    )}
  </ul>`;
