/**
 * Everything that is held of a person, in every collection and inbox.
 *
 * It is found by a photo, or by an external_id. A collection that cannot be searched is named, so
 * that nobody takes "nothing found" for "nothing held".
 */

import { ask, askAll, inCollection } from "../../core/api.js";
import { createSlots } from "../../core/slots.js";

const AT_ONCE = 3;
const TRIES = 5;
const NEAREST = 20;
const PAGE = 1000;
/** Below the threshold by no more than this: shown, to be judged by eye. */
const NEARLY = 0.1;

/**
 * @typedef {object} Held what one collection holds
 * @property {string} collection
 * @property {{identity: object, similarity: number | null, threshold: number | null, isAlike: boolean}[]} people
 * @property {{group: object, similarity: number, threshold: number, isAlike: boolean}[]} groups
 * @property {Error | null} problem why it could not be searched
 */

/** Names of all collections. @returns {Promise<object[]>} */
export async function allCollections(signal) {
  return askAll({ path: "collections", query: { limit: PAGE }, signal, tries: TRIES }, "collections");
}

/**
 * Search all collections; `onFound` is called with each one's result.
 * @param {{photo?: File, externalId?: string}} wanted
 * @param {(held: Held) => void} onFound
 * @param {AbortSignal} signal
 */
export async function findEverywhere(wanted, onFound, signal) {
  const slots = createSlots(AT_ONCE);
  const collections = await allCollections(signal);
  await Promise.all(
    collections.map((collection) =>
      slots.run(async () => {
        const held = { collection: collection.name, people: [], groups: [], problem: null };
        try {
          if (wanted.photo) await findByPhoto(collection, wanted.photo, held, signal);
          else await findByKey(collection.name, wanted.externalId, held, signal);
        } catch (problem) {
          if (signal.aborted) throw problem;
          held.problem = problem;
        }
        onFound(held);
      }, signal),
    ),
  );
}

async function findByKey(name, externalId, held, signal) {
  const query = { external_id: externalId };
  const { identities } = await ask({ path: inCollection(name, "identities"), query, signal, tries: TRIES });
  held.people = identities.map((identity) => ({ identity, similarity: null, threshold: null, isAlike: true }));
}

/** The identification that finds the people on a photo; nothing of it is kept. */
export const identifyCall = (name, photo) => ({
  method: "POST",
  path: inCollection(name, "identify"),
  form: [
    ["image", photo],
    ["top_k", String(NEAREST)],
    ["max_faces", "1"],
    ["keep_unknown", "false"],
  ],
});

async function findByPhoto({ name, identity_count: people, unknown_count: groups }, photo, held, signal) {
  if (people > 0) {
    const answer = await ask({ ...identifyCall(name, photo), signal, tries: TRIES });
    const [face] = answer.faces;
    held.photo = answer;
    if (face !== undefined) held.people = await alikePeople(name, face, signal);
  }
  if (groups > 0) {
    const form = [["image", photo], ["top_k", String(NEAREST)]];
    const call = { method: "POST", path: inCollection(name, "unknowns:search"), form };
    const answer = await ask({ ...call, signal, tries: TRIES });
    const [face] = answer.faces;
    held.photo ??= answer;
    held.groups = (face?.groups ?? [])
      .filter(({ similarity }) => similarity >= face.threshold - NEARLY)
      .map((group) => ({
        group,
        similarity: group.similarity,
        threshold: face.threshold,
        isAlike: group.similarity >= face.threshold,
      }));
  }
}

async function alikePeople(name, face, signal) {
  const near = face.candidates.filter(({ similarity }) => similarity >= face.threshold - NEARLY);
  const found = await Promise.all(
    near.map(async ({ identity_id: id, similarity }) => {
      const identity = await unlessGone(ask({ path: inCollection(name, "identities", id), signal, tries: TRIES }));
      const isAlike = similarity >= face.threshold;
      return identity && { identity, similarity, threshold: face.threshold, isAlike };
    }),
  );
  return found.filter(Boolean);
}

/** The answer, or null if what was asked for is gone meanwhile. */
async function unlessGone(asked) {
  try {
    return await asked;
  } catch (problem) {
    if (problem.status === 404) return null;
    throw problem;
  }
}

/** Everything held of these people and groups, as one document. */
export async function documentOf(chosen) {
  const people = [];
  for (const { collection, identity } of chosen.people) {
    const path = inCollection(collection, "identities", identity.id, "faces");
    const faces = await unlessGone(askAll({ path, query: { limit: PAGE }, tries: TRIES }, "faces"));
    if (faces !== null) people.push({ collection, identity, faces });
  }
  const unknown_groups = [];
  for (const { collection, group } of chosen.groups) {
    const answer = await unlessGone(ask({ path: inCollection(collection, "unknowns", group.id), tries: TRIES }));
    if (answer !== null) unknown_groups.push({ collection, group: answer });
  }
  return { made_at: new Date().toISOString(), people, unknown_groups };
}
