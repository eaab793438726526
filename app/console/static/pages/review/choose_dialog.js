/** Which of two people is to be erased. */

import { html } from "../../core/html.js";
import { tWith, t } from "../../core/text.js";
import { Dialog } from "../../parts/dialog.js";
import { PersonName, PersonThumb } from "../../parts/person_name.js";

/** @param {{people: any[], onChoose: (person: any) => void, onClose: () => void}} props */
export const ChooseDialog = ({ people, onChoose, onClose }) =>
  html`<${Dialog}
    title=${t("review.erase_which")}
    onClose=${onClose}
    footer=${html`<button type="button" data-first-focus onClick=${onClose}>${t("frame.cancel")}</button>`}
  >
    <ul class="plain">
      ${people.map(
        (person) => html`<li key=${person.id}>
          <button type="button" class="danger" onClick=${() => onChoose(person)}>
            <${PersonThumb} person=${person} />
            ${tWith("review.erase_person", { name: () => html`<${PersonName} person=${person} />` })}
          </button>
          <span class="muted">${person.external_id} ${t("review.faces", { count: person.face_count })}</span>
        </li>`,
      )}
    </ul>
  <//>`;
