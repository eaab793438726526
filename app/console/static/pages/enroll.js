/** Enroll one person: photos of the camera or files, and who it is. Or more photos of a person. */

import { ask, inCollection } from "../core/api.js";
import { ifStill } from "../core/draft.js";
import { note } from "../core/history.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { readAttributes } from "../core/json_text.js";
import { useAction, useLoaded } from "../core/loading.js";
import { askBeforeLeaving, go, href } from "../core/router.js";
import { collection as presentCollection } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t, tWith } from "../core/text.js";
import { AsRequestButton } from "../parts/as_request_button.js";
import { Drop } from "../parts/drop.js";
import { Notice, ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { nameOf, PersonName } from "../parts/person_name.js";
import { RejectedPhotos, resembled } from "../parts/rejected_photos.js";
import { CameraShots } from "./enroll/camera_shots.js";
import { LooksLike } from "./enroll/looks_like.js";
import { EMPTY, hasConsent, PersonFields } from "./enroll/person_fields.js";
import { enrolCall, useSending } from "./enroll/sending.js";
import { sendable, ShotList, useShots } from "./enroll/shots.js";

export default function Enroll({ query, collection }) {
  const personId = query.person ?? null;
  const { data: person, problem: missing } = useLoaded(
    async (signal) => (personId === null ? null : ask({ path: inCollection(collection, "identities", personId), signal })),
    [collection, personId],
  );
  const { shots, add, remove, clear, any } = useShots();
  const [draft, setDraft] = useState(EMPTY);
  const [done, setDone] = useState(null); // {identity, count, rejected, photos}
  const [doubt, setDoubt] = useState(null); // {resemblance, shot}
  const send = useSending(collection);
  const result = useRef(null);
  const chosen = sendable(shots);
  useEffect(() => askBeforeLeaving(() => (any() ? t("enroll.leave") : null)), []);
  useEffect(() => result.current?.focus(), [done]);

  const enrol = useAction(async ({ to = personId, force = false } = {}) => {
    setDone(null);
    let answer;
    try {
      answer = await send({ shots: chosen, draft, personId: to, force });
    } catch (problem) {
      const resemblance = problem.status === 409 && personId === null && to === null ? resembled(problem.rejected) : null;
      const rejection = problem.rejected?.find((one) => one.resemblance === resemblance);
      if (resemblance !== null) setDoubt({ resemblance, shot: chosen[rejection.image_index] });
      throw problem;
    }
    const count = answer.faces.filter((face) => !face.already_enrolled).length;
    note(t("enroll.noted", { name: nameOf(answer.identity), count }));
    setDoubt(null);
    if (to !== null && answer.rejected.length === 0) {
      clear();
      go(href("person", { args: [answer.identity.id] }));
      return;
    }
    setDone({ identity: answer.identity, count, rejected: answer.rejected, photos: chosen.map(({ photo }) => photo) });
    clear();
    setDraft(ifStill(draft, { ...EMPTY, consent: draft.consent })); // often that of the next person, too
  });
  const { problem, busy } = enrol;
  const named = personId !== null || draft.name.trim() !== "" || draft.external_id.trim() !== "";
  const known = useStore(presentCollection);
  const permitted = personId !== null || hasConsent(draft, known);
  const ready = chosen.length > 0 && named && permitted && readAttributes(draft.attributes).error === null;
  const files = (list) => list.forEach((file) => add(file));
  const guarded = problem?.status === 409 && problem.rejected.length > 0 && doubt === null;
  const keepsCrops = known?.options?.crops.keep ?? false;
  const lead = [t("enroll.lead"), keepsCrops && ` ${t("enroll.crops_kept")}`];
  const title = person ? tWith("enroll.title_more", { name: () => html`<${PersonName} person=${person} />` }) : t("enroll.title");
  return html`<${PageHead} title=${title} lead=${lead}>
      ${personId === null && html`<a class="button" href=${href("enroll_many")}>${t("enroll.many")}</a>`}
    <//>
    <${ProblemNotice} problem=${missing} />
    ${done && html`<div ref=${result} tabindex="-1" class="result"><${Done} done=${done} /></div>`}
    <div class="enroll">
      <div>
        <${CameraShots} shots=${shots} onShot=${add} onFile=${add} />
        <${Drop} needs="enroll" multiple compact onFiles=${files} />
      </div>
      <form
        class="card"
        onSubmit=${(event) => {
          event.preventDefault();
          if (ready) enrol.run();
        }}
      >
        <h2>${t("enroll.photos", { count: shots.length })}</h2>
        ${shots.length === 0 && html`<p class="muted">${t("enroll.no_photos")}</p>`}
        <${ShotList} shots=${shots} onRemove=${remove} />
        ${personId === null && html`<${PersonFields} draft=${draft} setDraft=${setDraft} problem=${problem} />`}
        ${doubt === null &&
        (problem?.rejected?.length > 0
          ? html`<${RejectedPhotos} rejected=${problem.rejected} photos=${chosen.map(({ photo }) => photo)} />`
          : html`<${ProblemNotice} problem=${problem} />`)}
        ${guarded &&
        html`<p>${t("enroll.force_text")}</p>
          <p><button needs="enroll" type="button" class="danger" disabled=${busy} onClick=${() => enrol.run({ force: true })}>${t("enroll.force")}</button></p>`}
        <p class="row">
          <button needs="enroll" type="submit" class="primary" disabled=${!ready || busy}>
            <span>${draft.name.trim() ? tWith("enroll.enroll_name", { name: () => html`<bdi>${draft.name.trim()}</bdi>` }) : t("enroll.enroll")}</span>
          </button>
          <span role="status" class="muted">
            ${busy ? t("enroll.sending") : chosen.length > 0 && !named && t("enroll.name_needed")}
          </span>
          ${chosen.length > 0 && html`<${AsRequestButton} call=${() => enrolCall(collection, { shots: chosen, draft, personId })} />`}
        </p>
      </form>
    </div>
    ${doubt &&
    html`<${LooksLike}
      ...${doubt}
      busy=${busy}
      problem=${problem?.status === 409 && problem.rejected?.some((one) => one.resemblance === doubt.resemblance) ? null : problem}
      onAdd=${() => enrol.run({ to: doubt.resemblance.identity_id })}
      onForce=${() => enrol.run({ force: true })}
      onClose=${() => (setDoubt(null), enrol.clear())}
    />`}`;
}

/** Who was enrolled, and which photos were not. */
const Done = ({ done: { identity, count, rejected, photos } }) =>
  html`<${Notice}>
      <span>${tWith("enroll.done", { name: () => html`<${PersonName} person=${identity} />`, count })}</span>
      <a href=${href("person", { args: [identity.id] })}>${t("enroll.open")}</a>
    <//>
    ${rejected.length > 0 && html`<${RejectedPhotos} rejected=${rejected} photos=${photos} />`}`;
