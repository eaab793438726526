/** A request of a person: what is held of them, everywhere; save it, erase it, hand out receipts. */

import { html, useEffect, useRef, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useAction } from "../../core/loading.js";
import { t } from "../../core/text.js";
import { Drop } from "../../parts/drop.js";
import { FaceBoxes } from "../../parts/face_boxes.js";
import { Field } from "../../parts/field.js";
import { ProblemNotice } from "../../parts/notice.js";
import { useObjectUrl } from "../../parts/photo_anywhere.js";
import { findEverywhere } from "./held.js";
import { HeldList } from "./held_list.js";

export function Requests() {
  const [wanted, setWanted] = useState(null); // {photo} or {externalId}
  const [held, setHeld] = useState([]);
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);
  const search = useAction(async (asked) => {
    leaving.current.abort();
    leaving.current = new AbortController();
    setWanted(asked);
    setHeld([]);
    const found = [];
    await findEverywhere(
      asked,
      (one) => {
        found.push(one);
        setHeld([...found].sort((a, b) => a.collection.localeCompare(b.collection)));
      },
      leaving.current.signal,
    );
    announce(t("privacy.searched", { count: found.length }));
  });
  const photo = held.find((one) => one.photo)?.photo ?? null;
  return html`<p>${t("privacy.requests_lead")}</p>
    <div class="columns">
      <section class="card" aria-labelledby="by-photo">
        <h2 id="by-photo">${t("privacy.by_photo")}</h2>
        <${Drop} compact accept="image/*,.heic,.heif,.jp2" onFiles=${([file]) => search.run({ photo: file })}>
          ${wanted?.photo && html`<${Photo} file=${wanted.photo} answer=${photo} />`}
        <//>
        <p class="muted">${t("privacy.photo_not_kept")}</p>
      </section>
      <section class="card" aria-labelledby="by-id">
        <h2 id="by-id">${t("privacy.by_id")}</h2>
        <form
          onSubmit=${(event) => {
            event.preventDefault();
            const externalId = new FormData(event.target).get("external_id").trim();
            if (externalId) search.run({ externalId });
          }}
        >
          <${Field} label=${t("privacy.external_id")} hint=${t("privacy.external_id_hint")}>
            <input name="external_id" autocomplete="off" required maxlength="256" />
          <//>
          <p><button needs="read" disabled=${search.busy}>${t("privacy.search")}</button></p>
        </form>
      </section>
    </div>
    <${ProblemNotice} problem=${search.problem} onRetry=${() => search.run(wanted)} />
    ${wanted !== null &&
    html`<${HeldList}
      held=${held}
      byPhoto=${Boolean(wanted.photo)}
      noFace=${photo !== null && photo.faces_found === 0}
      busy=${search.busy}
      onAgain=${() => search.run(wanted)}
    />`}`;
}

/** The photo, with the face that is searched for. */
function Photo({ file, answer }) {
  const url = useObjectUrl(file);
  const [isDrawn, setDrawn] = useState(true);
  useEffect(() => setDrawn(true), [file]);
  if (url === null || !isDrawn) return html`<p><bdi>${file.name}</bdi></p>`;
  const faces = (answer?.faces ?? []).map(({ box }) => ({ key: 0, box, kind: "plain", label: "" }));
  return html`<div class="request-photo">
    <${FaceBoxes} image=${answer?.image ?? null} faces=${faces}>
      <img src=${url} alt=${t("privacy.photo_alt")} onError=${() => setDrawn(false)} />
    <//>
    ${answer?.faces_found > 1 && html`<p>${t("privacy.largest_face", { count: answer.faces_found })}</p>`}
  </div>`;
}
