/** The faces of an answer as a table: who, how similar, and how rare such a similarity is. */

import * as format from "../core/format.js";
import { html } from "../core/html.js";
import { labelOf } from "../core/recognition.js";
import { href } from "../core/router.js";
import { collection as presentCollection } from "../core/session.js";
import { t } from "../core/text.js";
import { FaceCut } from "./face_cuts.js";
import { nameOf, PersonThumb } from "./person_name.js";
import { Similarity, Status } from "./similarity.js";
import { Table } from "./table.js";

const SHOWN = 3;

/**
 * @param {object} props
 * @param {object[]} props.faces of the answer, largest first
 * @param {string[]} [props.cuts] addresses of their pictures
 * @param {boolean} [props.busy]
 * @param {(place: number) => void} props.onEnroll
 * @param {(place: number) => void} props.onAdd
 */
export function FoundFaces({ faces, cuts = [], busy = false, onEnroll, onAdd }) {
  const rows = faces.map((face, place) => ({ face, place }));
  const columns = [
    {
      name: "face",
      text: t("identify.face"),
      heads: true,
      cell: ({ place }) => html`<span class="found-face"><b>${place + 1}</b> ${cuts[place] && html`<${FaceCut} url=${cuts[place]} />`}</span>`,
    },
    { name: "who", text: t("identify.who"), cell: ({ face }) => html`<${Who} face=${face} />` },
    {
      name: "similarity",
      text: t("identify.similarity"),
      cell: ({ face }) =>
        face.status === "rejected" ? "—" : html`<${Similarity}
              value=${face.similarity}
              threshold=${face.threshold}
              withheld=${face.searched.people > 0 && face.shown_from !== null}
              shownFrom=${face.shown_from}
            />`,
    },
    { name: "rate", text: t("identify.strangers"), cell: ({ face }) => html`<${Strangers} face=${face} />` },
    {
      name: "actions",
      text: t("identify.actions"),
      quiet: true,
      cell: ({ place }) => html`<span class="face-actions">
        <button needs="enroll" type="button" class="small" aria-label=${t("identify.enroll_face_number", { number: place + 1 })} onClick=${() => onEnroll(place)}>
          ${t("identify.enroll_this")}
        </button>
        <button needs="enroll" type="button" class="small" aria-label=${t("identify.add_face_number", { number: place + 1 })} onClick=${() => onAdd(place)}>
          ${t("identify.add_to")}
        </button>
      </span>`,
    },
  ];
  return html`<${Table} caption=${t("identify.faces")} columns=${columns} rows=${rows} keyOf=${({ place }) => String(place)} busy=${busy} />`;
}

/** The key that enrolls the largest face that is not known, as `useShortcuts` takes it. */
export function enrollKey(faces, onEnroll) {
  const place = faces.findIndex(({ status }) => status === "unknown");
  return place < 0 ? {} : { e: { label: t("identify.enroll_face_number", { number: place + 1 }), run: () => onEnroll(place) } };
}

function Who({ face }) {
  const { identity, candidates, status } = face;
  const others = candidates.filter((one) => one.identity_id !== identity?.id).slice(0, SHOWN);
  return html`<div class="who">
    ${identity && html`<${PersonThumb} person=${withFace(candidates[0])} />
      <a class="who-name" href=${href("person", { args: [identity.id] })}><bdi>${labelOf(face)}</bdi></a>`}
    <${Status} status=${status} />
    ${face.liveness && html`<small>${livenessOf(face.liveness)}</small>`}
    ${face.detail && html`<small>${face.detail}</small>`}
    ${others.length > 0 &&
    html`<small class="muted">
      ${t(identity ? "identify.next_alike" : "identify.most_alike")}:${" "}
      ${others.map(
        (one, at) => html`${at > 0 && ", "}<a href=${href("person", { args: [one.identity_id] })}><bdi>${nameOf(one)}</bdi></a>${" "}
          <span class="number">${format.similarity(one.similarity)}</span>`,
      )}
    </small>`}
  </div>`;
}

/** A candidate with the face that is most alike, which was perhaps enrolled in this tab. */
export const withFace = (candidate) => ({ ...candidate, best_face: { id: candidate.face_id, has_crop: keepsCrops() } });

const keepsCrops = () => presentCollection.get()?.options?.crops?.keep === true;

const livenessOf = ({ score, threshold, live }) =>
  t(live === null ? "identify.liveness" : live ? "identify.live" : "identify.not_live", {
    score: format.similarity(score),
    threshold: format.similarity(threshold),
  });

/** How many strangers are at least this alike, or why that is not known. */
function Strangers({ face }) {
  if (face.fpir === null) {
    return html`<small class="muted">${t(`identify.rate_${face.rate_reason}`)}</small>`;
  }
  const { value, low, high, extrapolated } = face.fpir;
  const [most, least] = [format.rate(high), format.rate(low)];
  return html`<span class="strangers">
    <span>${format.rate(value)}</span>
    <small class="muted">
      ${extrapolated ? t("identify.estimate") : most !== least && t("identify.between", { high: most, low: least })}
    </small>
  </span>`;
}
