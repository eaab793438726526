/** The photos that are to be enrolled: taken by the camera, or files as they are. */

import { ask } from "../../core/api.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { createSlots } from "../../core/slots.js";
import { cutFace } from "../../core/tab_photos.js";
import { t } from "../../core/text.js";
import { judgeCall, judgementOf, withoutAnswer, wordsOf } from "./judgement.js";

const slots = createSlots(2);
let next = 1;

/**
 * @typedef {object} Shot
 * @property {number} id
 * @property {Blob & {name?: string}} photo
 * @property {object} judgement see judgement.js; {kind: "waiting"} while there is none
 * @property {string | null} url of the face, cut from the photo
 */

/** The shots: {shots, add, remove, clear, any}. Each is judged by the service; nothing is enrolled yet. */
export function useShots() {
  const [shots, setShots] = useState([]);
  const present = useRef([]);
  const change = (make) => {
    present.current = make(present.current);
    setShots(present.current);
  };
  const forget = ({ url }) => url && URL.revokeObjectURL(url);
  useEffect(() => () => present.current.forEach(forget), []);

  const settle = async (shot, judgement) => {
    const url = judgement.box ? await cutFace(shot.photo, judgement.box) : null;
    const stays = present.current.some(({ id }) => id === shot.id);
    if (!stays) return forget({ url });
    change((all) => all.map((one) => (one.id === shot.id ? { ...one, judgement, url } : one)));
    return undefined;
  };
  /** Add a photo; `judgement` where it is known, as of a frame that was judged. */
  const add = async (photo, judgement = null) => {
    const shot = { id: next++, photo, judgement: { kind: "waiting" }, url: null };
    change((all) => [...all, shot]);
    if (judgement !== null) return settle(shot, judgement);
    try {
      return settle(shot, judgementOf(await slots.run(() => ask({ ...judgeCall(photo), tries: 5 }))));
    } catch (problem) {
      return settle(shot, withoutAnswer(problem));
    }
  };
  const remove = (id) => {
    present.current.filter((one) => one.id === id).forEach(forget);
    change((all) => all.filter((one) => one.id !== id));
  };
  const clear = () => {
    present.current.forEach(forget);
    change(() => []);
  };
  return { shots, add, remove, clear, any: () => present.current.length > 0 };
}

/** Those that can be enrolled: what is no photo of a face at all is not sent. */
export const sendable = (shots) => shots.filter(({ judgement }) => !["refused", "none"].includes(judgement.kind));

/** @param {{shots: Shot[], onRemove: (id: number) => void}} props */
export function ShotList({ shots, onRemove }) {
  const list = useRef(null);
  const remove = (id) => {
    onRemove(id);
    list.current.focus(); // the button that had the focus is gone
  };
  return html`<ul class="shots" ref=${list} tabindex="-1" aria-label=${t("enroll.shots")}>
    ${shots.map(
      ({ id, photo, judgement, url }, at) => html`<li key=${id} class="shot">
        <span class="thumb large">${url ? html`<img src=${url} alt="" />` : at + 1}</span>
        <p>
          ${photo.name && html`<bdi>${photo.name}</bdi> `}<${Sign} kind=${judgement.kind} />${" "}<span>${wordsOf(judgement)}</span>
        </p>
        <button type="button" class="icon" aria-label=${t("enroll.remove", { number: at + 1 })} onClick=${() => remove(id)}>✕</button>
      </li>`,
    )}
  </ul>`;
}

function Sign({ kind }) {
  if (kind === "waiting" || kind === "unjudged") return null;
  const good = kind === "good";
  return html`<span class=${good ? "sign good" : "sign bad"} aria-hidden="true">${good ? "✓" : "✕"}</span>`;
}
