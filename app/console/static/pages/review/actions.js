/** What corrects a finding, and how it is undone. */

import { ask, inCollection } from "../../core/api.js";
import { note } from "../../core/history.js";
import { readCollection } from "../../core/session.js";
import { t } from "../../core/text.js";
import { nameOf } from "../../parts/person_name.js";

const TRIES = 5;

/** The people of a finding as they are now, by id: {identity, other}. */
export async function readPeople(collection, finding, signal) {
  const read = (found) =>
    found ? ask({ path: inCollection(collection, "identities", found.identity_id), signal, tries: TRIES }) : null;
  const [identity, other] = await Promise.all([read(finding.identity), read(finding.other)]);
  return { identity, other };
}

/** `who`: {identity_id}, or {name} of a new person. */
export const moveCall = (collection, faceId, who, { force = false, ifRevision } = {}) => ({
  method: "POST",
  path: inCollection(collection, "faces", `${faceId}:move`),
  json: { ...who, force: force || undefined, if_revision: ifRevision },
});

/** A finding says by which request it is dismissed; its path begins with /v1/. */
export const dismissCall = ({ dismissal }) => ({
  method: dismissal.method,
  path: dismissal.path.replace(/^\/v1\//, ""),
  json: dismissal.body,
});

const restoreCall = (collection, { dismissal }) => ({
  method: "POST",
  path: inCollection(collection, "doctor:restore"),
  json: dismissal.body,
});

/** Move the face of a finding. The move back is forced where the guards refuse it: said so then. */
export async function move(collection, finding, examination, who, options) {
  const { face, identity, previous, collapsed } = await ask({
    ...moveCall(collection, finding.face_id, who, options),
    tries: TRIES,
  });
  const text = t("review.moved", { name: nameOf(identity) });
  const undo = async () => {
    const back = await ask({
      ...moveCall(collection, face.id, { identity_id: previous.id }, { force: true }),
      tries: TRIES,
    });
    // A person who was made for this face has nothing else.
    if (who.identity_id === undefined && back.previous.face_count === 0) {
      await ask({ method: "DELETE", path: inCollection(collection, "identities", identity.id), tries: TRIES });
    }
    examination.putBack(finding);
    await readCollection();
    return t(back.face.forced ? "review.moved_back_forced" : "review.moved_back", { name: nameOf(previous) });
  };
  // The same picture in both is kept once: there is nothing to move back then.
  note(text, collapsed.length > 0 ? { final: t("review.was_there") } : { undo });
  examination.handled(finding, [finding.face_id]);
  await readCollection();
}

/** It is fine: the doctor reports it no more. */
export async function dismiss(collection, finding, examination) {
  await ask({ ...dismissCall(finding), tries: TRIES });
  note(t("review.dismissed"), {
    undo: async () => {
      await ask({ ...restoreCall(collection, finding), tries: TRIES });
      examination.putBack(finding);
      return t("review.restored");
    },
  });
  examination.handled(finding);
}
