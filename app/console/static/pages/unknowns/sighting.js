/** One sighting of a group: the face, when and where it was seen, and who was most like it. */

import { belowShown, dayAndTime } from "../../core/format.js";
import { html } from "../../core/html.js";
import { href } from "../../core/router.js";
import { t } from "../../core/text.js";
import { Similarity } from "../../parts/similarity.js";
import { cropOfUnknown, Thumb } from "../../parts/thumb.js";

/**
 * @param {object} props
 * @param {string} props.groupId
 * @param {any} props.face of GET unknowns/{group}
 * @param {{name: string | null, external_id: string | null, id: string} | undefined} props.nearest
 * @param {number | null} props.threshold that a match needs, where it is fixed
 * @param {number} props.cut changes when a face was cut from a photo of this machine
 * @param {File | undefined} props.photo its photo, where that was found
 * @param {(photo: File, face: any) => void} props.onPhoto
 * @param {boolean} props.chosen
 * @param {(id: string) => void} props.onChoose
 */
export function Sighting({ groupId, face, nearest, threshold, cut, photo, onPhoto, chosen, onChoose }) {
  const when = dayAndTime(face.seen_at);
  return html`<li class=${chosen ? "sighting selected" : "sighting"}>
    <label class="check">
      <input
        type="checkbox"
        checked=${chosen}
        data-face=${face.id}
        aria-label=${t("unknowns.select_face", { when })}
        onChange=${() => onChoose(face.id)}
      />
      <${Thumb}
        key=${cut}
        large
        id=${groupId}
        name="?"
        faceId=${face.id}
        crop=${face.has_crop ? cropOfUnknown(groupId, face.id) : null}
      />
    </label>
    <div>
      <time datetime=${face.seen_at}>${when}</time>
      ${face.terminal_id && html`<span class="muted">${t("unknowns.terminal", { terminal: face.terminal_id })}</span>`}
      <span class="muted">${t("unknowns.most_like")}</span>
      ${face.similarity === null
        ? html`<span>${face.shown_from === null ? t("unknowns.nobody_enrolled") : belowShown(face.shown_from)}</span>`
        : html`<span><${Nearest} face=${face} nearest=${nearest} /></span>
            <${Similarity} value=${face.similarity} threshold=${threshold} />`}
      ${photo &&
      html`<button type="button" class="small" onClick=${() => onPhoto(photo, face)}>
        ${t("unknowns.show_photo")}
      </button>`}
    </div>
  </li>`;
}

function Nearest({ face, nearest }) {
  if (face.nearest_identity_id === null) return t("unknowns.erased_since");
  return html`<a href=${href("person", { args: [face.nearest_identity_id] })}
    ><bdi>${nearest?.name ?? nearest?.external_id ?? t("frame.nameless")}</bdi></a
  >`;
}
