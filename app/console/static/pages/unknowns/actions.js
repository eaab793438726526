/** What can be done with groups of unknown faces, and how it is undone. */

import { ask, inCollection } from "../../core/api.js";
import { note } from "../../core/history.js";
import { readCollection } from "../../core/session.js";
import { createStore } from "../../core/store.js";
import { t } from "../../core/text.js";

const TRIES = 5;

/** The service keeps so many faces of a group, the newest. */
export const FACES_A_GROUP = 20;

/** Grows with every change of an inbox by this tab; lists are read anew. */
export const inboxChanges = createStore(0);

export function inboxChanged() {
  inboxChanges.set((times) => times + 1);
  readCollection();
}

/** How a group without a name is called. */
export const shortId = (id) => id.slice(0, 6);

const inbox = (collection, ...parts) => inCollection(collection, "unknowns", ...parts);

export const listCall = (collection, { order, minCount, cursor }) => ({
  path: inbox(collection),
  query: { order, min_count: minCount, limit: 50, cursor },
});
export const groupCall = (collection, id) => ({ path: inbox(collection, id) });
export const mergeCall = (collection, ids) => ({
  method: "POST",
  path: inCollection(collection, "unknowns:merge"),
  json: { group_ids: ids },
});
export const splitCall = (collection, id, faceIds) => ({
  method: "POST",
  path: inbox(collection, `${id}:split`),
  json: { face_ids: faceIds },
});
/** `who`: {name, external_id}, or {identity_id}. The faces are those that were looked at, no later ones. */
export const nameCall = (collection, id, who, faceIds) => ({
  method: "POST",
  path: inbox(collection, `${id}:name`),
  json: { ...who, face_ids: faceIds },
});
export const dismissCall = (collection, id) => ({ method: "DELETE", path: inbox(collection, id) });

/** A group with its faces, oldest first. */
export const readGroup = (collection, id, signal) => ask({ ...groupCall(collection, id), signal, tries: TRIES });

/**
 * Read groups before they are merged: their faces are remembered, so that it can be undone.
 * `tooMany`: faces above the limit of one group, which a merge erases.
 */
export async function readForMerge(collection, ids) {
  const groups = await Promise.all(ids.map((id) => readGroup(collection, id)));
  const faces = groups.reduce((sum, group) => sum + group.faces.length, 0);
  return { groups, faces, tooMany: Math.max(0, faces - FACES_A_GROUP) };
}

/** Merge groups that were read; return the id of the one that stays. */
export async function merge(collection, groups) {
  const ids = groups.map(({ id }) => id);
  const merged = await ask({ ...mergeCall(collection, ids), tries: TRIES });
  const others = groups.filter(({ id }) => id !== merged.id).map(({ faces }) => faces.map(({ id }) => id));
  note(t("unknowns.merged", { count: groups.length, id: shortId(merged.id), faces: merged.face_count }), {
    undo: () => takeApart(collection, merged.id, others),
  });
  inboxChanged();
  return merged.id;
}

/** Undo a merge: the faces of each other group become a group again, under a new id. */
async function takeApart(collection, id, others) {
  const { faces } = await readGroup(collection, id);
  const left = new Set(faces.map((face) => face.id));
  const made = [];
  for (const ids of others) {
    const theirs = ids.filter((one) => left.has(one));
    if (theirs.length === 0 || theirs.length === left.size) continue; // gone meanwhile, or all that is left
    made.push((await ask({ ...splitCall(collection, id, theirs), tries: TRIES })).id);
    for (const one of theirs) left.delete(one);
  }
  inboxChanged();
  return t("unknowns.merge_undone", { count: made.length, ids: made.map(shortId).join(", ") });
}

/** Make a group of some faces; return its id. */
export async function split(collection, id, faceIds) {
  const made = await ask({ ...splitCall(collection, id, faceIds), tries: TRIES });
  note(t("unknowns.split_done", { count: faceIds.length, id: shortId(made.id) }), {
    undo: async () => {
      await ask({ ...mergeCall(collection, [id, made.id]), tries: TRIES });
      inboxChanged();
      return t("unknowns.split_undone", { id: shortId(id) });
    },
  });
  inboxChanged();
  return made.id;
}

/** Enroll faces of a group under a name. It has no undo: the service keeps no way back to the inbox. */
export async function name(collection, id, who, faceIds) {
  const { identity, faces } = await ask({ ...nameCall(collection, id, who, faceIds), tries: TRIES });
  note(t("unknowns.named", { name: identity.name ?? identity.external_id ?? identity.id, count: faces.length }), {
    final: t("unknowns.naming_is_final"),
  });
  inboxChanged();
  return identity;
}

/** People who are called so already. */
export async function namesakes(collection, text) {
  const { identities } = await ask({
    path: inCollection(collection, "identities"),
    query: { name: text, limit: 3 },
    tries: TRIES,
  });
  return identities;
}
