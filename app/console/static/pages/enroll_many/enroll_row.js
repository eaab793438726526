/** The photos of one person: how they are sent, and what became of each. */

import { inCollection, request } from "../../core/api.js";

/** Enroll the photos of a row, in as many requests as the service's limits demand. */
export async function enrollRow(row, { collection, consent = null, limits, run }) {
  const result = { newFaces: row.newFaces, refused: [], resemblance: null, identityId: row.identityId };
  let known = false;
  for (const [number, photos] of portions(row.photos, limits).entries()) {
    const key = `${run}-${row.id}-${row.attempt}-${number}`;
    const outcome = await enrollPortion(row, photos, result.identityId, collection, consent, key);
    result.identityId = outcome.identityId;
    result.newFaces += outcome.newFaces;
    result.refused.push(...outcome.refused);
    result.resemblance ??= outcome.resemblance;
    known ||= outcome.known;
  }
  return { ...result, state: stateOf(result, known) };
}

function stateOf({ newFaces, resemblance }, known) {
  if (newFaces > 0) return "enrolled";
  if (known) return "known";
  return resemblance ? "resembles" : "refused";
}

function portions(photos, { max_images: most, max_request_bytes: bytes }) {
  const made = [[]];
  let size = 0;
  for (const photo of photos) {
    if (made.at(-1).length > 0 && (made.at(-1).length >= most || size + photo.file.size > 0.9 * bytes)) {
      made.push([]);
      size = 0;
    }
    made.at(-1).push(photo);
    size += photo.file.size;
  }
  return made;
}

async function enrollPortion(row, photos, identityId, collection, consent, key) {
  try {
    return outcomeOf(await sendPortion(row, photos, identityId, collection, consent, key), photos);
  } catch (problem) {
    if (problem.code === "external_id_taken") {
      // The person is enrolled: they get the photos that they lack.
      return enrollPortion(row, photos, `ext:${row.person.externalId}`, collection, consent, key);
    }
    if (!problem.rejected?.length) throw problem;
    const refused = refusedOf(problem.rejected, photos);
    const resemblance = problem.rejected.map((one) => one.resemblance).find((one) => one?.identity_id) ?? null;
    return { identityId, newFaces: 0, known: false, refused, resemblance };
  }
}

/** The request that enrolls the photos of a row. @returns {import("../../core/api.js").Call} */
function callOf(row, photos, identityId, collection, consent, key) {
  const { person, rules } = row;
  const fields = identityId === null ? describe(person, consent) : [];
  return {
    method: "POST",
    path: inCollection(collection, "identities", ...(identityId === null ? [] : [identityId, "faces"])),
    form: [
      ...fields,
      ...Object.entries(rules).map(([name, value]) => [name, String(value)]),
      ...photos.map(({ file }) => ["images", file, file.name]),
    ],
    headers: { "idempotency-key": key },
  };
}

const sendPortion = async (...asked) => (await request(callOf(...asked))).body;

function describe({ name, externalId, expiresAt, attributes }, consent) {
  const fields = [["name", name], ["external_id", externalId]];
  if (expiresAt !== null) fields.push(["expires_at", expiresAt]);
  if (Object.keys(attributes).length > 0) fields.push(["attributes", JSON.stringify(attributes)]);
  if (consent !== null) fields.push(["consent", JSON.stringify(consent)]);
  return fields;
}

function outcomeOf({ identity, faces, rejected }, photos) {
  const fresh = faces.filter((face) => !face.already_enrolled).length;
  return {
    identityId: identity.id,
    newFaces: fresh,
    known: faces.length > fresh,
    refused: refusedOf(rejected, photos),
    resemblance: null,
  };
}

const refusedOf = (rejected, photos) =>
  rejected.map(({ image_index: index, reasons, detail }) => ({ ...photos[index], reasons, detail }));
