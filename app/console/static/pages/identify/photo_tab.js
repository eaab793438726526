/** Identify: the faces of a photo. */

import { request } from "../../core/api.js";
import { html, useEffect, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useLoaded } from "../../core/loading.js";
import { boxesOf, identifyCall, requireSendable, whoIsSeen } from "../../core/recognition.js";
import { href } from "../../core/router.js";
import { useShortcuts } from "../../core/shortcuts.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Drop } from "../../parts/drop.js";
import { Empty } from "../../parts/empty.js";
import { AddFaceDialog, EnrollFaceDialog } from "../../parts/enroll_face.js";
import { useFaceCuts } from "../../parts/face_cuts.js";
import { enrollKey, FoundFaces } from "../../parts/found_faces.js";
import { canSend, fieldsOf, IdentifyOptions } from "../../parts/identify_options.js";
import { ProblemNotice } from "../../parts/notice.js";
import { usePhotoAnywhere } from "../../parts/photo_anywhere.js";
import { PhotoPicture } from "../../parts/photo_picture.js";
import { Timing } from "../../parts/timing.js";
import { presentPhoto } from "./present_photo.js";

/** @param {{collection: string, query: Record<string, string>}} props */
export function PhotoTab({ collection, query }) {
  const photo = useStore(presentPhoto);
  const [revision, setRevision] = useState(null); // of an enrolment from here, which the answer must show
  const over = usePhotoAnywhere(presentPhoto.set);
  const fields = { ...fieldsOf(query), min_revision: revision };
  const call = photo && identifyCall(collection, photo, fields);
  const { data, problem, busy, reload } = useLoaded(
    async (signal) => {
      if (call === null || !canSend(query)) return null;
      requireSendable(photo);
      const { body, headers } = await request({ ...call, signal, tries: 3 });
      announce(whoIsSeen(body.faces));
      return { photo, answer: body, headers };
    },
    [photo, collection, JSON.stringify(fields)],
  );
  const shown = data?.photo === photo ? data : null; // the answer to the photo before is not this one's
  return html`<div class=${over ? "identify dragged-over" : "identify"}>
    <div class="identify-picture">
      ${photo && html`<${PhotoPicture} photo=${photo} image=${shown?.answer.image} faces=${boxesOf(shown?.answer.faces ?? [])} />`}
      <${Drop} needs="identify" onFiles=${([file]) => presentPhoto.set(file)} compact=${photo !== null} text=${t("identify.drop_text")} />
    </div>
    <div class="identify-answer" aria-busy=${busy && photo ? "true" : undefined}>
      <${ProblemNotice} problem=${problem} onRetry=${reload} />
      ${problem?.code === "threshold_required" &&
      html`<p>${t("identify.threshold_required")} <a href=${href("thresholds")}>${t("frame.nav_thresholds")}</a></p>`}
      ${photo === null && html`<p class="muted">${t("identify.photo_text")}</p>`}
      ${shown && !problem && html`<${Answer} ...${{ collection, shown, busy, call }} onEnrolled=${(person) => setRevision(person.revision)} />`}
      <${IdentifyOptions} query=${query} open=${problem?.code === "threshold_required"} />
    </div>
  </div>`;
}

function Answer({ collection, shown, busy, call, onEnrolled }) {
  const { photo, answer, headers } = shown;
  const cuts = useFaceCuts(
    photo,
    answer.faces.map(({ box }) => box),
  );
  const [chosen, setChosen] = useState(null); // {place, Dialog}
  useEffect(() => setChosen(null), [photo]);
  const enroll = (place) => setChosen({ place, Chosen: EnrollFaceDialog });
  useShortcuts(enrollKey(answer.faces, enroll));
  const left = answer.faces_found - answer.faces.length;
  return html`${answer.faces.length === 0
      ? html`<${Empty} text=${t("identify.no_face")} />`
      : html`<${FoundFaces}
          faces=${answer.faces}
          cuts=${cuts}
          busy=${busy}
          onEnroll=${enroll}
          onAdd=${(place) => setChosen({ place, Chosen: AddFaceDialog })}
        />`}
    ${left > 0 && html`<p class="muted">${t("identify.faces_left", { count: left })}</p>`}
    <${Timing} headers=${headers}><${AsRequestButton} call=${call} /><//>
    ${chosen &&
    html`<${chosen.Chosen}
      collection=${collection}
      face=${{ photo, faces: answer.faces, place: chosen.place }}
      onClose=${() => setChosen(null)}
      onDone=${(person) => {
        setChosen(null);
        onEnrolled(person);
      }}
    />`}`;
}
