/**
 * Erasing for good: what goes, a step that nobody takes by mistake, progress, receipts.
 *
 * Nothing here can be undone: the focus is on Cancel, and of several people their number is typed.
 */

import { inCollection } from "../core/api.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { href, route } from "../core/router.js";
import { loadTexts, t, tWith } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Dialog } from "./dialog.js";
import { useErasing } from "./erasing.js";
import { Field } from "./field.js";
import { ProblemNotice } from "./notice.js";
import { PersonName } from "./person_name.js";
import { Progress } from "./progress.js";
import { Receipts } from "./receipts.js";

await loadTexts("erasing");

/**
 * Erase people: one, or several by one request each.
 * @param {object} props
 * @param {{id: string, name: string | null, external_id?: string | null, face_count: number, collection?: string}[]} props.people
 *   `collection`: where it is not the present one
 * @param {(erased: string[]) => void} props.onClose with the ids of those who are gone now
 */
export function EraseDialog({ people, onClose }) {
  const faces = people.reduce((sum, { face_count }) => sum + face_count, 0);
  const [first] = people;
  const one = people.length === 1;
  const name = () => html`<${PersonName} person=${first} />`;
  return html`<${ErasureDialog}
    title=${one ? tWith("erasing.title_one", { name }) : t("erasing.title", { count: people.length })}
    sentence=${one
      ? tWith("erasing.what_one", { name, count: faces })
      : t("erasing.what", { people: people.length, count: faces })}
    button=${one ? tWith("erasing.button_one", { name }) : t("erasing.button", { count: people.length })}
    typed=${one ? null : people.length}
    items=${people.map(({ id, collection }) => ({
      id,
      call: { method: "DELETE", path: inCollection(collection ?? route.get().collection, "identities", id) },
    }))}
    note=${(count) => t("erasing.noted", { count })}
    verify
    onClose=${onClose}
  />`;
}

/**
 * Erase one face of a person, who stays.
 * @param {{person: import("./person_name.js").Person, face: {id: string}, isLast: boolean, onClose: (erased: string[]) => void}} props
 *   isLast: whether the person has no other face
 */
export function EraseFaceDialog({ person, face, isLast, onClose }) {
  const name = () => html`<${PersonName} person=${person} />`;
  const path = inCollection(route.get().collection, "identities", person.id, "faces", face.id);
  return html`<${ErasureDialog}
    title=${t("erasing.title_face")}
    sentence=${tWith(isLast ? "erasing.what_last_face" : "erasing.what_face", { name })}
    button=${t("erasing.button_face")}
    typed=${null}
    items=${[{ id: face.id, call: { method: "DELETE", path } }]}
    note=${() => t("erasing.noted_face")}
    onClose=${onClose}
  />`;
}

/**
 * Erase a collection with all its people, whose number is typed.
 * @param {{collection: {name: string, identity_count: number, face_count: number}, onClose: (erased: string[]) => void}} props
 */
export function EraseCollectionDialog({ collection, onClose }) {
  const { name, identity_count: people, face_count: faces } = collection;
  const written = () => html`<bdi>${name}</bdi>`;
  return html`<${ErasureDialog}
    title=${tWith("erasing.title_one", { name: written })}
    sentence=${tWith("erasing.what_collection", { name: written, people, count: faces })}
    button=${tWith("erasing.button_one", { name: written })}
    typed=${people}
    items=${[{ id: name, call: { method: "DELETE", path: inCollection(name) } }]}
    needs="admin"
    note=${() => t("erasing.noted_collection")}
    onClose=${onClose}
  />`;
}

/**
 * Erase things by one request each, in order; what is gone already is counted, and no error.
 * @param {object} props
 * @param {unknown} props.title
 * @param {unknown} props.sentence what goes
 * @param {unknown} props.button
 * @param {number | null} props.typed the number that has to be typed; null asks for none
 * @param {{id: string, call: import("../core/api.js").Call, receiptOf?: (answer: any) => any}[]} props.items as of `useErasing`
 * @param {(count: number) => string} props.note the sentence of what was done
 * @param {boolean} [props.verify] whether to offer a look whether the person is unknown now
 * @param {(erased: string[]) => void} props.onClose with the ids of what is gone now
 */
export function ErasureDialog({ title, sentence, button, typed, items, note, verify = false, needs = "correct", onClose }) {
  const [compact, setCompact] = useState(false);
  const [number, setNumber] = useState("");
  const erasing = useErasing(items, note);
  const { phase, receipts, gone, problem } = erasing;
  const focused = useRef(null); // of each phase, what has the focus first
  useEffect(() => {
    if (phase !== "asking") focused.current?.focus();
  }, [phase]);
  const close = () => (phase === "running" ? erasing.stop() : onClose(erasing.erased()));
  const confirmed = typed === null || number.trim() === String(typed);
  const start = () => confirmed && erasing.run(compact);
  const footers = {
    asking: html`<button type="button" data-first-focus onClick=${close}>${t("frame.cancel")}</button>
      <button needs=${needs} type="button" class="danger primary" disabled=${!confirmed} onClick=${start}><span>${button}</span></button>`,
    running: html`<button type="button" ref=${focused} onClick=${close}>${t("erasing.stop")}</button>`,
    failed: html`<button type="button" onClick=${close}>${t("frame.close")}</button>
      <button needs=${needs} type="button" ref=${focused} class="danger" onClick=${start}>${t("erasing.go_on")}</button>`,
    done: html`<button type="button" class="primary" onClick=${close}>${t("frame.close")}</button>`,
  };
  return html`<${Dialog} title=${phase === "done" ? t("erasing.erased") : title} wide=${phase === "done"} onClose=${close} footer=${footers[phase]}>
    ${phase === "asking" &&
    html`<form onSubmit=${(event) => (event.preventDefault(), start())}>
      <p>${sentence}</p>
      ${typed !== null &&
      html`<${Field} label=${t("erasing.type_number", { number: typed })}>
        <input inputmode="numeric" autocomplete="off" value=${number} onInput=${(event) => setNumber(event.target.value)} />
      <//>`}
      <label class="check">
        <input type="checkbox" checked=${compact} onChange=${(event) => setCompact(event.target.checked)} />
        ${t("erasing.compact")}
      </label>
      <${AsRequestButton} call=${() => erasing.callOf(items[0], compact)} />
    </form>`}
    ${phase === "running" &&
    html`<${Progress}
      value=${receipts.length + gone.length}
      of=${items.length}
      text=${t("erasing.progress", { done: receipts.length + gone.length, of: items.length })}
    />`}
    <${ProblemNotice} problem=${problem} />
    ${phase === "done" &&
    html`<p tabindex="-1" ref=${focused} class="result">
      ${t("erasing.done", { count: receipts.length })} ${gone.length > 0 && t("erasing.gone", { count: gone.length })}
      ${receipts.length + gone.length < items.length &&
      t("erasing.left", { count: items.length - receipts.length - gone.length })}
    </p>`}
    ${phase !== "running" && receipts.length > 0 && html`<${Receipts} receipts=${receipts} />`}
    ${phase === "done" &&
    verify &&
    receipts.length > 0 &&
    html`<p><a href=${href("identify")}>${t("erasing.verify", { count: receipts.length })}</a></p>`}
  <//>`;
}
