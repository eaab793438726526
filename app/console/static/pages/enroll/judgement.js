/** What the service says of a photo before it is enrolled, at the level that enrolment demands. */

import { poseOf } from "../../core/head_pose.js";
import { loadTexts, t } from "../../core/text.js";

await loadTexts("quality");

const LEVEL = "auto"; // the default of enrolment
const REFUSED = new Set([413, 415, 422]);
const COMPARABLE = 1 / 3; // of the largest face's side: smaller faces do not count

/** The request that judges a photo. @param {Blob} photo */
export const judgeCall = (photo) => ({ method: "POST", path: "quality", form: [["image", photo, photo.name]] });

const side = ([x1, y1, x2, y2]) => Math.max(x2 - x1, y2 - y1);

/**
 * A judgement: {kind, box, pose, unified, component, score}. `kind` is good, poor, several or none;
 * `component` is the worst one of a poor face.
 * @param {{faces: object[]}} answer of POST /v1/quality
 */
export function judgementOf({ faces }) {
  const [face, ...others] = faces;
  if (face === undefined) return { kind: "none" };
  const known = { box: face.box, pose: poseOf(face.landmarks), unified: face.unified };
  if (others.some(({ box }) => side(box) > COMPARABLE * side(face.box))) return { kind: "several", ...known };
  const reasons = face.rejected[LEVEL] ?? [];
  if (reasons.length === 0) return { kind: "good", ...known };
  const [component, { score }] = Object.entries(face.components).sort(([, a], [, b]) => a.score - b.score)[0];
  return { kind: "poor", ...known, component, score };
}

/** The judgement of a photo that could not be judged: refused with its reason, or left to enrolment. */
export const withoutAnswer = (problem) => ({ kind: REFUSED.has(problem.status) ? "refused" : "unjudged", problem });

/** A judgement in words. */
export function wordsOf({ kind, unified, component, score, problem }) {
  if (kind === "good") return t("enroll.good", { quality: Math.round(unified) });
  if (kind === "poor") return t("enroll.poor", { remedy: t(`quality.${component}_remedy`), score: Math.round(score) });
  if (kind === "refused") return problem.detail;
  return t(`enroll.${kind}`);
}
