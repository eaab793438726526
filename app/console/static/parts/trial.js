/** The three steps of Start: show a face, enroll it under a name, and see the name over the face. */

import { ask, inCollection } from "../core/api.js";
import { ifStill } from "../core/draft.js";
import { photoOfFace } from "../core/face_photo.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { announce } from "../core/live.js";
import { useAction, useLoaded } from "../core/loading.js";
import { boxesOf, createAnnouncer, identifyCall, labelOf, requireSendable, whoIsSeen } from "../core/recognition.js";
import { href } from "../core/router.js";
import { readCollection } from "../core/session.js";
import { keepTabFace } from "../core/tab_photos.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { useCamera } from "./camera.js";
import { FRAME_HEADERS, useFrames } from "./camera_frames.js";
import { CameraButtons, CameraTrouble, CameraView } from "./camera_view.js";
import { errorOf, Field } from "./field.js";
import { ProblemNotice } from "./notice.js";
import { usePhotoAnywhere } from "./photo_anywhere.js";
import { PhotoButton } from "./photo_button.js";
import { PhotoPicture } from "./photo_picture.js";
import { Similarity } from "./similarity.js";

/** @param {{collection: string}} props */
export function TrialSteps({ collection }) {
  const camera = useCamera();
  const [photo, setPhoto] = useState(null);
  const [seen, setSeen] = useState(null); // {photo, answer}: the last picture, and who is on it
  const [person, setPerson] = useState(null); // who was enrolled here
  const announcer = useRef(createAnnouncer());
  const on = camera.phase === "on";

  const live = useFrames(camera, async (frame, signal) => {
    const answer = await ask({ ...identifyCall(collection, frame.blob), headers: FRAME_HEADERS, signal });
    if (signal.aborted) return;
    setSeen({ photo: frame.blob, answer });
    announcer.current(answer.faces);
  });
  const still = useLoaded(
    async (signal) => {
      if (photo === null) return;
      requireSendable(photo);
      const call = identifyCall(collection, photo, { min_revision: person?.revision ?? null });
      const answer = await ask({ ...call, signal, tries: 3 });
      setSeen({ photo, answer });
      announce(whoIsSeen(answer.faces));
    },
    [photo, person],
  );
  useEffect(() => {
    if (on) setPhoto(null);
    setSeen(null);
  }, [on]);
  const takePhoto = (file) => {
    camera.stop();
    setSeen(null);
    setPhoto(file);
  };
  const over = usePhotoAnywhere(takePhoto);
  const faces = seen?.answer.faces ?? [];
  const found = person && faces.find(({ identity }) => identity?.id === person.id);
  return html`<ol class=${over ? "steps dragged-over" : "steps"}>
    <${Step} number=${1} done=${faces.length > 0} title=${t("start.step_show")}>
      <p class="row">
        <${CameraButtons} needs="identify" camera=${camera} primary=${photo === null} />
        <${PhotoButton} needs="identify" onFile=${takePhoto} />
        ${!on && html`<span class="muted">${t("start.or_drop")}</span>`}
      </p>
      <${CameraTrouble} camera=${camera} onFile=${takePhoto} />
      <${ProblemNotice} problem=${on ? live : (live ?? still.problem)} onRetry=${photo ? still.reload : undefined} />
      <${CameraView} camera=${camera} image=${seen?.answer.image} faces=${boxesOf(faces)} />
      ${photo && !on && html`<${PhotoPicture} photo=${photo} image=${seen?.answer.image} faces=${boxesOf(faces)} />`}
      ${seen &&
      html`<p class="row muted">
        <span>${faces.length === 0 ? t("start.no_face") : t("start.who", { who: whoIsSeen(faces) })}</span>
        <${AsRequestButton} call=${() => identifyCall(collection, seen.photo)} />
      </p>`}
    <//>
    <${EnrollStep}
      collection=${collection}
      seen=${seen}
      person=${person}
      onEnrolled=${setPerson}
    />
    <${Step} number=${3} done=${Boolean(found)} title=${t("start.step_look")}>
      ${found
        ? html`<p class="row">
              <strong><bdi>${labelOf(found)}</bdi></strong> <${Similarity} value=${found.similarity} threshold=${found.threshold} />
            </p>
            <p>
              ${t("start.done")} <a href=${href("enroll_many")}>${t("start.next_enroll_many")}</a> ·${" "}
              <a href=${href("identify")}>${t("start.next_identify")}</a> · <a href=${href("people")}>${t("frame.nav_people")}</a>
            </p>`
        : html`<p class="muted">${t(person ? "start.look_again" : "start.look_later")}</p>`}
    <//>
  </ol>`;
}

const Step = ({ number, done, title, children }) =>
  html`<li class=${done ? "card done" : "card"}>
    <h2>
      <span class="step-number" aria-hidden="true">${done ? "✓" : number}</span> ${title}
      ${done && html`<span class="visually-hidden">${t("start.step_done")}</span>`}
    </h2>
    ${children}
  </li>`;

/** Enroll the largest face that is not known, under a name. */
function EnrollStep({ collection, seen, person, onEnrolled }) {
  const [name, setName] = useState("");
  const faces = seen?.answer.faces ?? [];
  const place = faces.findIndex(({ status }) => status !== "match");
  const callOf = ({ blob, filename, faces: rule }) => ({
    method: "POST",
    path: inCollection(collection, "identities"),
    form: [
      ["images", blob, filename],
      ["name", name.trim()],
      ["faces", rule],
    ],
  });
  const cut = () =>
    photoOfFace(
      seen.photo,
      faces.map(({ box }) => box),
      place,
    );
  const { run, busy, problem } = useAction(async () => {
    const made = await cut();
    const { identity, faces: enrolled } = await ask({ ...callOf(made), tries: 3 });
    for (const { id, box } of enrolled) await keepTabFace(id, seen.photo, made.inPhoto(box));
    await readCollection();
    setName(ifStill(name, ""));
    onEnrolled(identity);
  });
  const submit = (event) => {
    event.preventDefault();
    if (place < 0) announce(hint);
    else if (name.trim() !== "") run();
  };
  const unknown = faces.filter(({ status }) => status !== "match").length;
  const hint =
    place >= 0
      ? t(unknown > 1 ? "start.enrolls_largest" : "start.enrolls_face")
      : t(faces.length > 0 ? "start.known_already" : "start.nothing_seen");
  return html`<${Step} number=${2} done=${person !== null} title=${t("start.step_enroll")}>
    <form class="row enroll-line" onSubmit=${submit}>
      <${Field} label=${t("start.name")} hint=${hint} error=${errorOf(problem, "name")}>
        <input required maxlength="256" autocomplete="off" value=${name} onInput=${(event) => setName(event.target.value)} />
      <//>
      <button needs="enroll" type="submit" class="primary" aria-disabled=${busy || place < 0 ? "true" : undefined}>${t("start.enroll")}</button>
      ${place >= 0 && html`<${AsRequestButton} call=${async () => callOf(await cut())} />`}
    </form>
    ${person && html`<p>${t("start.is_enrolled")} <a href=${href("person", { args: [person.id] })}><bdi>${person.name}</bdi></a></p>`}
    <${ProblemNotice} problem=${problem} />
  <//>`;
}
