/** A request of a person: what is held of them, everywhere; save it, erase it, hand out receipts. */

import { html, useEffect, useRef, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useAction } from "../../core/loading.js";
import { t } from "../../core/text.js";
import { Drop } from "../../parts/drop.js";
import { Field } from "../../parts/field.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";
import { useObjectUrl } from "../../parts/photo_anywhere.js";
import { documentOf } from "./held.js";
import { HeldList } from "./held_list.js";

export function Requests() {
  const [wanted, setWanted] = useState(null); // {photo, largest} or {externalId}
  const [found, setFound] = useState(null); // the document
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);
  const search = useAction(async (asked) => {
    leaving.current.abort();
    leaving.current = new AbortController();
    setWanted(asked);
    setFound(null);
    const { signal } = leaving.current;
    const document = await documentOf(asked, signal);
    if (signal.aborted) return;
    setFound(document);
    announce(t("privacy.searched", { count: document.collections.length }));
  });
  const { problem } = search;
  const code = problem?.code ?? null;
  return html`<p>${t("privacy.requests_lead")}</p>
    <div class="columns">
      <section class="card" aria-labelledby="by-photo">
        <h2 id="by-photo">${t("privacy.by_photo")}</h2>
        <${Drop} needs="correct" compact accept="image/*,.heic,.heif,.jp2" onFiles=${([file]) => search.run({ photo: file })}>
          ${wanted?.photo && html`<${Photo} file=${wanted.photo} />`}
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
          <p><button needs="correct" disabled=${search.busy}>${t("privacy.search")}</button></p>
        </form>
      </section>
    </div>
    ${search.busy && html`<p aria-busy="true">${t("privacy.searching")}</p>`}
    ${code === "no_face" && html`<${Notice} kind="warning">${t("privacy.no_face")}<//>`}
    ${code === "several_faces" &&
    html`<${Notice} kind="warning">
      <p>${t("privacy.several_faces")}</p>
      <button needs="correct" type="button" onClick=${() => search.run({ ...wanted, largest: true })}>${t("privacy.take_largest")}</button>
    <//>`}
    ${code !== "no_face" && code !== "several_faces" && html`<${ProblemNotice} problem=${problem} onRetry=${() => search.run(wanted)} />`}
    ${found !== null &&
    html`<${HeldList} document=${found} byPhoto=${Boolean(wanted.photo)} busy=${search.busy} onAgain=${() => search.run(wanted)} />`}`;
}

/** The photo of the person who asks. */
function Photo({ file }) {
  const url = useObjectUrl(file);
  const [isDrawn, setDrawn] = useState(true);
  useEffect(() => setDrawn(true), [file]);
  if (url === null || !isDrawn) return html`<p><bdi>${file.name}</bdi></p>`;
  return html`<div class="request-photo">
    <img src=${url} alt=${t("privacy.photo_alt")} onError=${() => setDrawn(false)} />
  </div>`;
}
