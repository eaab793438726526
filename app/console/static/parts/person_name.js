/** Names of people. A name may be written in any direction, so it stands in a <bdi>. */

import { html } from "../core/html.js";
import { href } from "../core/router.js";
import { collection } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { Thumb, cropOfFace } from "./thumb.js";

/**
 * @typedef {object} Person what answers say of a person; `best_face` is in lists
 * @property {string} [id]
 * @property {string} [identity_id]
 * @property {string | null} name
 * @property {string | null} [external_id]
 * @property {{id: string, has_crop: boolean} | null} [best_face]
 * @property {string} [face_id] of a candidate of a search
 */

/** What a person is called: by name, else by their own key. @param {Person} person */
export const nameOf = (person) => person.name ?? person.external_id ?? t("frame.nameless");

/** @param {{person: Person}} props */
export const PersonName = ({ person }) => html`<bdi class="person-name">${nameOf(person)}</bdi>`;

/** A face, and the name as a link to the page of the person. @param {{person: Person, onClick?: () => void}} props */
export const PersonLink = ({ person, onClick }) =>
  html`<span class="person">
    <${PersonThumb} person=${person} />
    <a href=${href("person", { args: [person.id ?? person.identity_id] })} onClick=${onClick}><${PersonName} person=${person} /></a>
  </span>`;

/** The best face of a person, as lists answer it; else initials. @param {{person: Person, large?: boolean}} props */
export function PersonThumb({ person, large }) {
  const id = person.id ?? person.identity_id;
  const keepsCrops = useStore(collection)?.options?.crops.keep ?? false;
  // A candidate of a search has the face that was most alike; whether there is a crop is not said.
  const face = person.best_face ?? (person.face_id ? { id: person.face_id, has_crop: keepsCrops } : null);
  const crop = face?.has_crop ? cropOfFace(id, face.id) : null;
  return html`<${Thumb} id=${id} name=${nameOf(person)} faceId=${face?.id ?? null} crop=${crop} large=${large} />`;
}
