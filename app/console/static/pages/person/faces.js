/** The faces of a person as cards: moved to another person, or removed. */

import { ask, inCollection } from "../../core/api.js";
import * as format from "../../core/format.js";
import { note } from "../../core/history.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { route } from "../../core/router.js";
import { t, tWith } from "../../core/text.js";
import { Compare } from "../../parts/compare.js";
import { CopyButton } from "../../parts/copy_button.js";
import { Dialog } from "../../parts/dialog.js";
import { Empty } from "../../parts/empty.js";
import { EraseFaceDialog } from "../../parts/erase_dialog.js";
import { ProblemNotice } from "../../parts/notice.js";
import { nameOf, PersonName } from "../../parts/person_name.js";
import { PersonPicker } from "../../parts/person_picker.js";
import { cropOfFace, Thumb } from "../../parts/thumb.js";

const SHOWN = 60; // cards at once

/** @param {{person: object, faces: object[], onChanged: () => void}} props */
export function Faces({ person, faces, onChanged }) {
  const [doing, setDoing] = useState(null); // {what: "move" | "remove", face}
  const [shown, setShown] = useState(SHOWN);
  const close = (changed) => {
    setDoing(null);
    if (changed) onChanged();
  };
  return html`<section class="card">
    <h2>${t("person.faces", { count: faces.length })}</h2>
    ${faces.length === 0 && html`<${Empty} text=${t("person.no_faces")} />`}
    <ul class="face-cards">
      ${faces.slice(0, shown).map(
        (face, at) => html`<li key=${face.id} class="face-card">
          <${Thumb}
            id=${person.id}
            name=${nameOf(person)}
            faceId=${face.id}
            crop=${face.has_crop ? cropOfFace(person.id, face.id) : null}
            large
          />
          <div>
            <p>${t("person.face_quality", { quality: format.quality(face.quality) })}</p>
            <p class="muted">${format.dayAndTime(face.created_at)}</p>
            ${face.forced && html`<ul class="flags"><li>${t("person.forced")}</li></ul>`}
            ${face.image_sha256 &&
            html`<p class="row">
              <code title=${face.image_sha256}>${face.image_sha256.slice(0, 12)}…</code>
              <${CopyButton} text=${face.image_sha256} label=${t("person.copy_sha256")} />
            </p>`}
            <p class="row">
              <button needs="correct" type="button" class="small" aria-label=${t("person.move_face", { number: at + 1 })} onClick=${() => setDoing({ what: "move", face })}>
                ${t("person.move")}
              </button>
              <button
                needs="correct"
                type="button"
                class="small danger"
                aria-label=${t("person.remove_face", { number: at + 1 })}
                onClick=${() => setDoing({ what: "remove", face })}
              >
                ${t("person.remove")}
              </button>
            </p>
          </div>
        </li>`,
      )}
    </ul>
    ${faces.length > shown && html`<button type="button" onClick=${() => setShown(shown + SHOWN)}>${t("person.more_faces")}</button>`}
    ${doing?.what === "remove" &&
    html`<${EraseFaceDialog}
      person=${person}
      face=${doing.face}
      isLast=${faces.length === 1}
      onClose=${(erased) => close(erased.length > 0)}
    />`}
    ${doing?.what === "move" && html`<${MoveFace} person=${person} face=${doing.face} onClose=${close} onUndone=${onChanged} />`}
  </section>`;
}

/** Find who is on a face, look at both, and move it. The guards may refuse; then it can be forced. */
function MoveFace({ person, face, onClose, onUndone }) {
  const [target, setTarget] = useState(null);
  const confirm = useRef(null);
  useEffect(() => confirm.current?.focus(), [target]); // the field that had the focus is gone
  const { collection } = route.get();
  const callOf = (force) => ({
    method: "POST",
    path: `${inCollection(collection, "faces", face.id)}:move`,
    json: {
      identity_id: target.id,
      if_revision: Math.min(person.revision, target.revision),
      ...(force && { force: true }),
    },
  });
  const move = useAction(async (force) => {
    await ask(callOf(force));
    const back = { method: "POST", path: `${inCollection(collection, "faces", face.id)}:move` };
    note(t("person.moved", { name: nameOf(target) }), {
      // Not forced: that would mark the face for good. The guards may refuse it, which is said.
      undo: async () => {
        await ask({ ...back, json: { identity_id: person.id } });
        onUndone();
      },
    });
    onClose(true);
  });
  const changed = move.problem?.code === "revision_conflict"; // one of the two: reload, and decide again
  const refused = move.problem?.status === 409 && !changed;
  const name = () => html`<${PersonName} person=${target} />`;
  return html`<${Dialog}
    wide=${target !== null}
    title=${t("person.move_title")}
    onClose=${() => onClose(changed)}
    footer=${target !== null &&
    html`<button type="button" onClick=${() => (setTarget(null), move.clear())}>${t("person.other_person")}</button>
      ${refused
        ? html`<button needs="correct" type="button" class="danger" disabled=${move.busy} onClick=${() => move.run(true)}>${t("person.move_force")}</button>`
        : html`<button needs="correct" type="button" ref=${confirm} class="primary" disabled=${move.busy} onClick=${() => move.run(false)}>
            <span>${tWith("person.move_to", { name })}</span>
          </button>`}`}
  >
    ${target === null
      ? html`<${PersonPicker} first label=${t("person.move_whom")} exclude=${[person.id]} onPick=${setTarget} />`
      : html`<${Compare} sides=${[{ person, faceId: face.id, title: t("person.from") }, { person: target, title: t("person.to") }]} />
          <${ProblemNotice} problem=${move.problem} />
          ${refused && html`<p>${t("person.move_force_text")}</p>`}`}
  <//>`;
}
