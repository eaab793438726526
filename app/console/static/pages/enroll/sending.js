/** The requests that enroll: a new person, or more photos of one. The same content is sent once. */

import { ask, inCollection } from "../../core/api.js";
import { useRef } from "../../core/html.js";
import { newKey } from "../../core/idempotency.js";
import { readAttributes } from "../../core/json_text.js";
import { readCollection } from "../../core/session.js";
import { keepTabFace } from "../../core/tab_photos.js";
import { consentOf } from "../../parts/consent_fields.js";
import { fromLocal } from "../../parts/expiry_field.js";

const TRIES = 5;

/** The fields of a new person, as a form sends them; empty ones are left out. */
function fieldsOf({ name, external_id, attributes, expires_at, consent }) {
  const value = readAttributes(attributes).value ?? {};
  const given = consentOf(consent);
  return [
    ["name", name.trim()],
    ["external_id", external_id.trim()],
    ["attributes", Object.keys(value).length > 0 ? JSON.stringify(value) : ""],
    ["expires_at", fromLocal(expires_at) ?? ""],
    ["consent", given === null ? "" : JSON.stringify(given)],
  ].filter(([, text]) => text !== "");
}

/**
 * @param {string} collection
 * @param {{shots: object[], draft: object, personId?: string | null, force?: boolean}} what
 *   personId: whose photos they are; without, a new person's
 */
export function enrolCall(collection, { shots, draft, personId = null, force = false }) {
  return {
    method: "POST",
    path: inCollection(collection, "identities", ...(personId === null ? [] : [personId, "faces"])),
    form: [
      ...(personId === null ? fieldsOf(draft) : []),
      ...(force ? [["force", "true"]] : []),
      ...shots.map(({ id, photo }) => ["images", photo, photo.name ?? `camera-${id}.jpg`]),
    ],
  };
}

/** Sends such a request; sent again with the same content, it is carried out once. */
export function useSending(collection) {
  const keys = useRef(new Map());
  return async (what) => {
    const call = enrolCall(collection, what);
    const content = JSON.stringify([call.path, call.form.map(([name, value, file]) => (value instanceof Blob ? file : [name, value]))]);
    const shots = what.shots.map(({ id }) => id).join();
    const place = `${content} ${shots}`;
    if (!keys.current.has(place)) keys.current.set(place, newKey());
    const answer = await ask({ ...call, headers: { "idempotency-key": keys.current.get(place) }, tries: TRIES });
    for (const face of answer.faces) {
      if (face.box) await keepTabFace(face.id, what.shots[face.image_index].photo, face.box);
    }
    await readCollection();
    return answer;
  };
}
