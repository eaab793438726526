/** Requests that recognise faces, and what the page makes of their answers. */

import { inCollection } from "./api.js";
import { bytes } from "./format.js";
import { announce } from "./live.js";
import { Problem } from "./problem.js";
import { info } from "./session.js";
import { locale, t } from "./text.js";

/** The fields of a form, without those that are not given. */
const given = (fields) => Object.entries(fields).filter(([, value]) => value !== null && value !== "");

/**
 * The request that identifies the faces of a photo. Unknown faces are kept only where `fields` say
 * so: a photo that is tried, or a camera, shows bystanders.
 * @param {string} collection
 * @param {Blob} photo
 * @param {Record<string, string | number | boolean | null>} [fields]
 * @returns {import("./api.js").Call}
 */
export const identifyCall = (collection, photo, fields = {}) => ({
  method: "POST",
  path: inCollection(collection, "identify"),
  form: [
    ["image", photo, photo.name ?? "photo.jpg"],
    ...given({ keep_unknown: false, ...fields }).map(([name, value]) => [name, String(value)]),
  ],
});

/**
 * Refuse a photo that the service would refuse for its size, before it is sent.
 * Raises Problem. @param {Blob} photo
 */
export function requireSendable(photo) {
  const limit = info.get().limits.max_image_bytes;
  if (photo.size <= limit) return;
  const detail = t("camera.photo_too_large", { size: bytes(photo.size), limit: bytes(limit) });
  throw new Problem({ status: 413, code: "image_too_large", detail });
}

/** What a face is called: the name of a match, else the decision. */
export const labelOf = (face) =>
  face.identity === null ? t(`frame.status_${face.status}`) : (face.identity.name ?? face.identity.external_id ?? t("frame.nameless"));

/** Of more faces than this, labels without a name would lie over each other. */
const CROWD = 8;

/** Faces of an answer as boxes. Several have their number before them, which is in the list as well. */
export const boxesOf = (faces) =>
  faces.map((face, place) => ({ key: place, box: face.box, kind: face.status, label: boxLabelOf(face, place, faces.length) }));

function boxLabelOf(face, place, count) {
  if (count === 1) return labelOf(face);
  return count > CROWD && face.identity === null ? String(place + 1) : `${place + 1} · ${labelOf(face)}`;
}

/** Who is seen, in words: names first, then how many are not known. */
export function whoIsSeen(faces) {
  if (faces.length === 0) return t("frame.no_face_seen");
  const names = faces.filter(({ status }) => status === "match").map(labelOf).sort();
  const rest = faces.length - names.length;
  if (rest > 0) names.push(t("frame.others_seen", { count: rest }));
  return new Intl.ListFormat(locale()).format(names);
}

/**
 * Make what announces who is seen: when it changed, and has been so in two answers, as a face at the
 * edge of a decision would be announced again and again.
 */
export function createAnnouncer() {
  let said = null;
  let last = null;
  return (faces) => {
    const text = whoIsSeen(faces);
    if (text === last && text !== said) {
      said = text;
      announce(text);
    }
    last = text;
  };
}

/** The stages of an answer's time, ms: [["decode", 8.7], ..., ["total", 150]]. @param {Headers} headers */
export const stagesOf = (headers) =>
  [...(headers.get("server-timing") ?? "").matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]);
