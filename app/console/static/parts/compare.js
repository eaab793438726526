/** Two people, or a photo and a person, side by side, to be judged by eye. */

import { ask, inCollection } from "../core/api.js";
import * as format from "../core/format.js";
import { html, useEffect, useState } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { route } from "../core/router.js";
import { cutFace, tabFace } from "../core/tab_photos.js";
import { loadTexts, t } from "../core/text.js";
import { ProblemNotice } from "./notice.js";
import { PersonName, nameOf } from "./person_name.js";
import { Similarity } from "./similarity.js";
import { Thumb, cropOfFace } from "./thumb.js";

await loadTexts("people_parts");

const FACES = 6;
const SIDE_PX = 240;

/**
 * @typedef {object} Side one of: a person who is enrolled, a photo, or anything else
 * @property {string} [title] what stands above it
 * @property {import("./person_name.js").Person} [person] an `id` is enough
 * @property {string | null} [faceId] the face of the person that it is about: marked, and shown first
 * @property {boolean} [isAlike] whether that face is not in question, but the one that is most alike
 * @property {Blob} [photo]
 * @property {number[] | null} [box] of the face on the photo, in pixels; null shows all of the photo
 * @property {unknown} [content]
 */

/**
 * @param {object} props
 * @param {[Side, Side]} props.sides
 * @param {number | null} [props.similarity] of the two
 * @param {number | null} [props.threshold] what the similarity is compared with
 */
export const Compare = ({ sides, similarity = null, threshold = null }) =>
  html`<div class="compare">
    ${sides.map(
      (side, at) => html`<section key=${at} class="card" aria-label=${side.title ?? t("people_parts.side", { number: at + 1 })}>
        ${side.title && html`<h3>${side.title}</h3>`}
        ${side.content ??
        (side.photo
          ? html`<${PhotoSide} photo=${side.photo} box=${side.box ?? null} />`
          : html`<${PersonSide} person=${side.person} faceId=${side.faceId ?? null} isAlike=${side.isAlike} />`)}
      </section>`,
    )}
    ${similarity !== null &&
    html`<p class="compare-similarity">
      ${t("people_parts.similarity")} <${Similarity} value=${similarity} threshold=${threshold} />
    </p>`}
  </div>`;

/** The face of a photo, or all of it, as it is here: nothing is sent for it. */
function PhotoSide({ photo, box }) {
  const [url, setUrl] = useState(null);
  const [shown, setShown] = useState(true);
  useEffect(() => {
    let made = null;
    let left = false;
    const show = async () => {
      made = box === null ? URL.createObjectURL(photo) : await cutFace(photo, box, SIDE_PX);
      if (left && made) URL.revokeObjectURL(made);
      else if (made === null) setShown(false);
      else setUrl(made);
    };
    show();
    return () => {
      left = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [photo, box?.join()]);
  if (!shown) return html`<p class="muted">${t("people_parts.photo_not_shown", { name: photo.name ?? "" })}</p>`;
  if (url === null) return null; // an empty address would be an error
  return html`<img class="compare-photo" src=${url} alt=${t("people_parts.photo")} onError=${() => setShown(false)} />`;
}

/** A person: faces, as far as there are pictures of them, and what is known. */
function PersonSide({ person, faceId, isAlike = false }) {
  const id = person.id ?? person.identity_id;
  const path = inCollection(route.get().collection, "identities", id);
  const { data, problem, reload } = useLoaded(
    async (signal) => {
      const [known, { faces }] = await Promise.all([
        ask({ path, signal }),
        ask({ path: `${path}/faces`, query: { limit: 100 }, signal }),
      ]);
      return { known, faces };
    },
    [path],
  );
  const shown = data?.known ?? { id, name: null, ...person };
  // The face that it is about first, then the best ones.
  const faces = [...(data?.faces ?? [])].sort(
    (one, other) => (other.id === faceId) - (one.id === faceId) || (other.quality ?? 0) - (one.quality ?? 0),
  );
  const first = faces.slice(0, FACES);
  const pictures = first.some((face) => face.has_crop || tabFace(face.id));
  return html`<p><strong><${PersonName} person=${shown} /></strong></p>
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data &&
    html`<ul class="face-row">
        ${first.map(
          (face) => html`<li key=${face.id} class=${face.id === faceId && !isAlike ? "marked" : undefined}>
            <${Thumb}
              id=${id}
              name=${nameOf(shown)}
              faceId=${face.id}
              crop=${face.has_crop ? cropOfFace(id, face.id) : null}
              large
            />
            <small>${face.id === faceId ? t(isAlike ? "people_parts.most_alike" : "people_parts.this_face") : t("people_parts.quality", { quality: format.quality(face.quality) })}</small>
          </li>`,
        )}
      </ul>
      ${!pictures && first.length > 0 && html`<p class="muted">${t("people_parts.no_pictures")}</p>`}
      <dl class="facts">
        <dt>${t("people_parts.id")}</dt>
        <dd>${shown.external_id ? html`<bdi>${shown.external_id}</bdi>` : "—"}</dd>
        <dt>${t("people_parts.face_count")}</dt>
        <dd>${format.count(shown.face_count)}</dd>
        <dt>${t("people_parts.enrolled")}</dt>
        <dd>${format.day(shown.created_at)}</dd>
        ${Object.entries(shown.attributes).map(
          ([key, value]) => html`<dt key=${key}><bdi>${key}</bdi></dt>
            <dd><bdi>${typeof value === "string" ? value : JSON.stringify(value)}</bdi></dd>`,
        )}
      </dl>`}`;
}
