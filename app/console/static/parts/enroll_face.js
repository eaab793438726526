/**
 * Dialogs that enroll one face of a photo: as a new person, or as another face of one who is
 * enrolled. When a guard of the service doubts it, both are shown side by side, and a person decides.
 */

import { ask, inCollection } from "../core/api.js";
import * as format from "../core/format.js";
import { photoOfFace } from "../core/face_photo.js";
import { note } from "../core/history.js";
import { html, useRef, useState } from "../core/html.js";
import { useAction, useLoaded } from "../core/loading.js";
import { readCollection } from "../core/session.js";
import { keepTabFace } from "../core/tab_photos.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Compare } from "./compare.js";
import { consentOf, DemandedConsent, NO_CONSENT } from "./consent_fields.js";
import { Dialog } from "./dialog.js";
import { FaceCut, useFaceCuts } from "./face_cuts.js";
import { errorOf, Field } from "./field.js";
import { withFace } from "./found_faces.js";
import { ProblemNotice, sentenceOf } from "./notice.js";
import { nameOf, PersonThumb } from "./person_name.js";
import { PersonPicker } from "./person_picker.js";

/**
 * A face that was found, to be enrolled.
 * @typedef {object} FoundFace
 * @property {Blob} photo
 * @property {object[]} faces of the answer
 * @property {number} place of this one among them
 */

/** The request that enrolls a face: as a new person with `fields`, or for the person with `id`. */
const callOf = (collection, made, { id = null, fields = {}, force = false }) => ({
  method: "POST",
  path: inCollection(collection, "identities", ...(id === null ? [] : [id, "faces"])),
  form: [
    ["images", made.blob, made.filename],
    ...Object.entries(fields).filter(([, value]) => value !== ""),
    ["faces", made.faces],
    ...(force ? [["force", "true"]] : []),
  ],
});

/** Sends the face, and keeps its picture for this tab: {made, cutProblem, run, busy, problem, clear}. */
function useEnrolment(collection, { photo, faces, place }, onDone) {
  const boxes = faces.map(({ box }) => box);
  const cut = useRef(null); // begun once; what is sent waits for it
  cut.current ??= photoOfFace(photo, boxes, place);
  const made = useLoaded(() => cut.current, []);
  const action = useAction(async (target) => {
    const sent = await cut.current;
    const done = await ask({ ...callOf(collection, sent, target), tries: 3 });
    for (const face of done.faces) {
      if (face.box) await keepTabFace(face.id, photo, sent.inPhoto(face.box));
    }
    const known = done.faces.every((face) => face.already_enrolled);
    note(t(known ? "identify.enrolled_before" : "identify.enrolled", { name: nameOf(done.identity) }));
    await readCollection();
    onDone(done.identity);
  });
  return { made: made.data, cutProblem: made.problem, ...action };
}

const isDoubt = (problem) => problem?.status === 409 && problem.rejected.some(({ resemblance }) => resemblance);

/** @param {{collection: string, face: FoundFace, onDone: (person: object) => void, onClose: () => void}} props */
export function EnrollFaceDialog({ collection, face, onDone, onClose }) {
  const enrolment = useEnrolment(collection, face, onDone);
  const { made, cutProblem, problem, busy, run, clear } = enrolment;
  const [who, setWho] = useState({ name: "", external_id: "" });
  const [consent, setConsent] = useState(NO_CONSENT);
  const given = consentOf(consent);
  const fields = { ...who, consent: given === null ? "" : JSON.stringify(given) };
  const set = (name) => (event) => setWho({ ...who, [name]: event.target.value });
  const submit = (event) => {
    event.preventDefault();
    if (fields.name.trim() !== "") run({ fields });
  };
  if (isDoubt(problem)) {
    return html`<${DoubtDialog} face=${face} problem=${problem} busy=${busy} run=${run} target=${{ fields }} onClose=${clear} />`;
  }
  return html`<${Dialog} title=${t("identify.enroll_face")} onClose=${onClose}>
    <form onSubmit=${submit}>
      <${WhatIsSent} face=${face} made=${made} problem=${cutProblem} />
      <div class="form-grid">
        <${Field} label=${t("identify.name")} error=${errorOf(problem, "name")}>
          <input data-first-focus required maxlength="256" autocomplete="off" value=${fields.name} onInput=${set("name")} />
        <//>
        <${Field} label=${t("identify.external_id")} hint=${t("identify.external_id_hint")} error=${errorOf(problem, "external_id")}>
          <input maxlength="256" autocomplete="off" value=${fields.external_id} onInput=${set("external_id")} />
        <//>
      </div>
      <${DemandedConsent} draft=${consent} setDraft=${setConsent} problem=${problem} />
      <${ProblemNotice} problem=${problem} />
      <p class="row">
        <button needs="enroll" type="submit" class="primary" aria-disabled=${busy || cutProblem ? "true" : undefined}>${t("identify.enroll")}</button>
        <button type="button" onClick=${onClose}>${t("frame.cancel")}</button>
        ${made && html`<${AsRequestButton} call=${() => callOf(collection, made, { fields })} />`}
      </p>
    </form>
  <//>`;
}

/** @param {{collection: string, face: FoundFace, onDone: (person: object) => void, onClose: () => void}} props */
export function AddFaceDialog({ collection, face, onDone, onClose }) {
  const { made, cutProblem, problem, busy, run, clear } = useEnrolment(collection, face, onDone);
  const [target, setTarget] = useState(null);
  const { candidates } = face.faces[face.place];
  const pick = (id) => {
    setTarget({ id });
    run({ id });
  };
  if (isDoubt(problem)) {
    return html`<${DoubtDialog} face=${face} problem=${problem} busy=${busy} run=${run} target=${target} onClose=${clear} />`;
  }
  return html`<${Dialog} title=${t("identify.add_to")} onClose=${onClose}>
    <${WhatIsSent} face=${face} made=${made} problem=${cutProblem} />
    <${ProblemNotice} problem=${problem} />
    ${candidates.length > 0 &&
    html`<h3>${t("identify.most_alike")}</h3>
      <ul class="choices">
        ${candidates.map(
          (one) => html`<li key=${one.identity_id}>
            <button type="button" onClick=${() => pick(one.identity_id)}>
              <${PersonThumb} person=${withFace(one)} /> <bdi>${nameOf(one)}</bdi>
              <span class="number">${format.similarity(one.similarity)}</span>
            </button>
          </li>`,
        )}
      </ul>
      <h3>${t("identify.somebody_else")}</h3>`}
    <${PersonPicker} collection=${collection} onPick=${({ id }) => pick(id)} exclude=${candidates.map((one) => one.identity_id)} />
  <//>`;
}

/** The face, and what of its photo is sent. */
function WhatIsSent({ face, made, problem }) {
  const [url] = useFaceCuts(face.photo, [face.faces[face.place].box]);
  const others = face.faces.length - 1;
  return html`<div class="row what-is-sent">
    <${FaceCut} url=${url} large />
    <p class=${problem ? "error" : "muted"}>
      ${problem
        ? sentenceOf(problem)
        : made?.isCut
          ? t("identify.sends_cut", { count: others })
          : others > 0
            ? t("identify.sends_largest", { count: others })
            : t("identify.sends_photo")}
    </p>
  </div>`;
}

/** A guard doubts whose face it is: both side by side, and the three ways on. */
function DoubtDialog({ face, problem, busy, run, target, onClose }) {
  const { resemblance } = problem.rejected.find((one) => one.resemblance);
  const name = nameOf(resemblance);
  const sides = [
    { title: t("identify.this_photo"), photo: face.photo, box: face.faces[face.place].box },
    { title: t("identify.enrolled_already"), person: { ...resemblance, id: resemblance.identity_id } },
  ];
  const isOther = target.id !== resemblance.identity_id;
  const title = t(isOther ? "identify.looks_like" : "identify.looks_unlike", { name });
  return html`<${Dialog} wide title=${title} onClose=${onClose}>
    <${Compare} sides=${sides} similarity=${resemblance.similarity} threshold=${resemblance.threshold} />
    <p>${t("identify.force_text")}</p>
    <p class="row">
      ${isOther &&
      html`<button needs="enroll" type="button" class="primary" disabled=${busy} onClick=${() => run({ id: resemblance.identity_id })}>
        ${t("identify.add_to_name", { name })}
      </button>`}
      <button needs="enroll" type="button" disabled=${busy} onClick=${() => run({ ...target, force: true })}>${t("identify.force")}</button>
      <button type="button" data-first-focus onClick=${onClose}>${t("frame.cancel")}</button>
    </p>
  <//>`;
}
