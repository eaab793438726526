/** Identify: the quality of the faces of a photo, a bar for each component, in words. */

import { ask } from "../../core/api.js";
import * as format from "../../core/format.js";
import { html, useEffect, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useLoaded } from "../../core/loading.js";
import { requireSendable } from "../../core/recognition.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Drop } from "../../parts/drop.js";
import { Empty } from "../../parts/empty.js";
import { FaceCut, useFaceCuts } from "../../parts/face_cuts.js";
import { ProblemNotice } from "../../parts/notice.js";
import { usePhotoAnywhere } from "../../parts/photo_anywhere.js";
import { PhotoPicture } from "../../parts/photo_picture.js";
import { ComponentBars, LevelList } from "../../parts/quality.js";
import { presentPhoto } from "./present_photo.js";

export function QualityTab() {
  const photo = useStore(presentPhoto);
  const over = usePhotoAnywhere(presentPhoto.set);
  const call = photo && { method: "POST", path: "quality", form: [["image", photo, photo.name ?? "photo.jpg"]] };
  const { data, problem, busy, reload } = useLoaded(
    async (signal) => {
      if (call === null) return null;
      requireSendable(photo);
      const answer = await ask({ ...call, signal, tries: 3 });
      announce(t("identify.faces_found", { count: answer.faces.length }));
      return { photo, answer };
    },
    [photo],
  );
  const shown = data?.photo === photo ? data?.answer : null;
  const faces = shown?.faces ?? [];
  const boxes = faces.map(({ box, unified }, place) => ({ key: place, box, kind: "plain", label: `${place + 1} · ${format.quality(unified)}` }));
  return html`<div class=${over ? "identify dragged-over" : "identify"}>
    <div class="identify-picture">
      ${photo && html`<${PhotoPicture} photo=${photo} image=${shown?.image} faces=${boxes} />`}
      <${Drop} needs="identify" onFiles=${([file]) => presentPhoto.set(file)} compact=${photo !== null} text=${t("identify.drop_text")} />
    </div>
    <div class="identify-answer" aria-busy=${busy && photo ? "true" : undefined}>
      <${ProblemNotice} problem=${problem} onRetry=${reload} />
      ${photo === null && html`<p class="muted">${t("identify.quality_text")}</p>`}
      ${shown && faces.length === 0 && html`<${Empty} text=${t("identify.no_face")} />`}
      ${faces.length > 0 && html`<${Faces} photo=${photo} faces=${faces} />`}
      ${shown && html`<p><${AsRequestButton} call=${call} /></p>`}
    </div>
  </div>`;
}

function Faces({ photo, faces }) {
  const [place, setPlace] = useState(0);
  useEffect(() => setPlace(0), [photo]);
  const cuts = useFaceCuts(
    photo,
    faces.map(({ box }) => box),
  );
  const face = faces[Math.min(place, faces.length - 1)];
  return html`${faces.length > 1 &&
    html`<div class="row face-choice" role="group" aria-label=${t("identify.faces")}>
      ${faces.map(
        (one, at) => html`<button
          type="button"
          key=${at}
          aria-pressed=${at === place ? "true" : "false"}
          aria-label=${t("identify.face_number", { number: at + 1 })}
          onClick=${() => setPlace(at)}
        >
          ${at + 1} <${FaceCut} url=${cuts[at]} />
        </button>`,
      )}
    </div>`}
    <section class="card">
      <h2>${t("identify.quality_is", { quality: format.quality(face.unified) })}</h2>
      <p class="muted">${t("identify.quality_is_text")}</p>
      <${LevelList} rejected=${face.rejected} />
      <${ComponentBars} components=${face.components} />
    </section>`;
}
