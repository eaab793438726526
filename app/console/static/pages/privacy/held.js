/**
 * Everything that is held of a person, in every collection and inbox of the key.
 *
 * The service finds it and puts it together, as one document; a collection in which it could compare
 * no faces is named there, so that nobody takes "nothing found" for "nothing held".
 */

import { ask, askAll, inCollection } from "../../core/api.js";

const TRIES = 5;
const PAGE = 1000;

/** The request for the document of a person who is enrolled. */
export const exportCall = (collection, id, query = {}) => ({ path: `${inCollection(collection, "identities", id)}:export`, query });

/** The request for the document of the person of a photo. */
export const exportByPhotoCall = (photo, { largest = false } = {}) => ({
  method: "POST",
  path: "people:export",
  form: [["image", photo], ...(largest ? [["faces", "largest"]] : [])],
});

/**
 * The document of a person, by a photo or by an id of the user's own system. Where no collection has
 * such an id, it names these collections, and nobody.
 * @param {{photo?: File, largest?: boolean, externalId?: string}} wanted
 * @param {AbortSignal} signal
 */
export async function documentOf(wanted, signal) {
  if (wanted.photo) return ask({ ...exportByPhotoCall(wanted.photo, wanted), signal, tries: TRIES });
  const collections = await askAll({ path: "collections", query: { limit: PAGE }, signal, tries: TRIES }, "collections");
  for (const { name } of collections) {
    const query = { external_id: wanted.externalId, limit: 1 };
    const { identities } = await ask({ path: inCollection(name, "identities"), query, signal, tries: TRIES });
    if (identities.length > 0) return ask({ ...exportCall(name, identities[0].id), signal, tries: TRIES });
  }
  return { collections, people: [], unknown_groups: [] };
}
