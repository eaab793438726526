/** Photos that were refused: each with the service's own reason, and whom it resembles. */

import { html } from "../core/html.js";
import { loadTexts, t, tWith } from "../core/text.js";
import { Notice } from "./notice.js";
import { PersonName } from "./person_name.js";
import { Similarity } from "./similarity.js";

await loadTexts("people_parts");

/**
 * @param {{rejected: object[], photos: (Blob & {name?: string})[]}} props
 *   rejected: as answers list it, by `image_index` of the photos
 */
export const RejectedPhotos = ({ rejected, photos }) =>
  html`<${Notice} kind="danger" title=${t("people_parts.photos_rejected", { count: rejected.length })}>
    <ul>
      ${rejected.map(
        ({ image_index: at, detail, reasons, resemblance }) => html`<li key=${at}>
          <strong><bdi>${photos[at]?.name ?? t("people_parts.photo_number", { number: at + 1 })}</bdi></strong>: ${detail} <code>${reasons.join(", ")}</code>
          ${resemblance?.identity_id && html`<${Alike} resemblance=${resemblance} />`}
        </li>`,
      )}
    </ul>
  <//>`;

const Alike = ({ resemblance }) =>
  html`<p class="row">
    <span>${tWith("people_parts.looks_like", { name: () => html`<${PersonName} person=${resemblance} />` })}</span>
    <${Similarity} value=${resemblance.similarity} threshold=${resemblance.threshold} withheld />
  </p>`;

/** The person whom refused photos resemble, the most alike first; null if they name none. */
export const resembled = (rejected) =>
  rejected
    .map(({ resemblance }) => resemblance)
    .filter((one) => one?.identity_id)
    .sort((one, other) => (other.similarity ?? -1) - (one.similarity ?? -1))[0] ?? null;

