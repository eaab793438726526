/** Identify: whether the faces of two photos are one person (verify). */

import { ask } from "../../core/api.js";
import * as format from "../../core/format.js";
import { html, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useLoaded } from "../../core/loading.js";
import { requireSendable } from "../../core/recognition.js";
import { href, setQuery } from "../../core/router.js";
import { info } from "../../core/session.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Drop } from "../../parts/drop.js";
import { Field } from "../../parts/field.js";
import { OneInField, QualityFilterField, ThresholdField } from "../../parts/identify_options.js";
import { ProblemNotice } from "../../parts/notice.js";
import { usePhotoAnywhere } from "../../parts/photo_anywhere.js";
import { PhotoPicture } from "../../parts/photo_picture.js";
import { Similarity } from "../../parts/similarity.js";

const RULES = ["largest", "single", "any"];

/** The request for two photos. One false match in `one_in_pairs`; a fixed similarity goes before it. */
function callOf([a, b], query) {
  const oneIn = Number(query.one_in_pairs);
  const fields = {
    faces: query.faces ?? RULES[0],
    threshold: query.pair_threshold ?? null,
    target_fmr: query.pair_threshold == null && oneIn > 1 ? 1 / oneIn : null,
    quality_filter: query.quality ?? null,
  };
  return {
    method: "POST",
    path: "verify",
    form: [
      ["image_a", a, a.name ?? "a.jpg"],
      ["image_b", b, b.name ?? "b.jpg"],
      ...Object.entries(fields)
        .filter(([, value]) => value !== null)
        .map(([name, value]) => [name, String(value)]),
    ],
  };
}

/** @param {{query: Record<string, string>}} props */
export function TwoFacesTab({ query }) {
  const [photos, setPhotos] = useState([null, null]);
  const both = photos.every((photo) => photo !== null);
  const call = both ? callOf(photos, query) : null;
  const { data, problem, busy, reload } = useLoaded(
    async (signal) => {
      if (call === null) return null;
      photos.forEach(requireSendable);
      const answer = await ask({ ...call, signal, tries: 3 });
      announce(t(`identify.verify_${answer.status}`));
      return { photos, answer };
    },
    [...photos, JSON.stringify(query)],
  );
  const shown = data?.photos === photos ? data.answer : null;
  const put = (at) => (files) => {
    // Two files at once fill both places.
    if (files.length > 1) setPhotos(files.slice(0, 2));
    else setPhotos(photos.map((photo, place) => (place === at ? files[0] : photo)));
  };
  const over = usePhotoAnywhere((file) => put(photos[0] === null ? 0 : 1)([file]));
  return html`<div class=${over ? "two-faces dragged-over" : "two-faces"}>
      ${photos.map(
        (photo, at) => html`<section key=${at} aria-label=${t("identify.photo_number", { number: at + 1 })}>
          ${photo && html`<${OnePhoto} photo=${photo} face=${shown?.faces[at]} />`}
          <${Drop} needs="identify" onFiles=${put(at)} multiple compact=${photo !== null} button=${t("identify.choose_number", { number: at + 1 })} text=${t("frame.or_drop_photo")} />
        </section>`,
      )}
    </div>
    <div aria-busy=${busy && both ? "true" : undefined}>
      <${ProblemNotice} problem=${problem} onRetry=${reload} />
      ${problem?.code === "threshold_required" &&
      html`<p>${t("identify.threshold_required")} <a href=${href("thresholds")}>${t("frame.nav_thresholds")}</a></p>`}
      ${!both && html`<p class="muted">${t("identify.two_text")}</p>`}
      ${shown && !problem && html`<${Outcome} answer=${shown} call=${call} />`}
    </div>
    <${VerifyOptions} query=${query} open=${problem !== null} />`;
}

/** A photo with the face that was compared. Its pixels are those of the upright photo, as drawn here. */
function OnePhoto({ photo, face }) {
  const [size, setSize] = useState(null);
  const boxes = face ? [{ key: 0, box: face.box, kind: "plain", label: "" }] : [];
  return html`<${PhotoPicture} photo=${photo} image=${size} faces=${boxes} onSize=${setSize} />`;
}

function Outcome({ answer, call }) {
  const { status, similarity, threshold, fmr, rate_reason: why, rejected, passed_over: others } = answer;
  const signs = { match: "match", no_match: "unknown", rejected: "rejected" };
  return html`<section class="card outcome">
    <h2 class=${signs[status]}>${t(`identify.verify_${status}`)}</h2>
    ${status !== "rejected" && html`<p><${Similarity} value=${similarity} threshold=${threshold} /></p>`}
    <p>
      ${fmr === null
        ? t(`identify.rate_${why}`)
        : t(fmr.extrapolated ? "identify.fmr_estimate" : "identify.fmr", { rate: format.rate(fmr.value) })}
    </p>
    ${rejected.map(
      ({ image_index: at, detail }) => html`<p key=${at} class="error">${t("identify.photo_number", { number: at + 1 })}: ${detail}</p>`,
    )}
    ${others.length > 0 && html`<p class="muted">${t("identify.not_compared", { count: others.length })}</p>`}
    <p><${AsRequestButton} call=${call} /></p>
  </section>`;
}

function VerifyOptions({ query, open }) {
  const set = (name) => (text) => setQuery({ [name]: text || null });
  const changed = ["faces", "one_in_pairs", "pair_threshold", "quality"].some((name) => query[name]);
  const { thresholds } = info.get();
  return html`<details class="options" open=${open || changed}>
    <summary>${t("identify.options")}</summary>
    <div class="form-grid">
      <${Field} label=${t("identify.several_faces")} hint=${t("identify.several_faces_hint")}>
        <select value=${query.faces ?? RULES[0]} onChange=${(event) => set("faces")(event.target.value)}>
          ${RULES.map((rule) => html`<option value=${rule}>${t(`identify.rule_${rule}`)}</option>`)}
        </select>
      <//>
      <${OneInField}
        label=${t("identify.one_in_pairs")}
        hint=${t("identify.one_in_pairs_hint")}
        placeholder=${String(Math.round(1 / thresholds.target_fmr))}
        value=${query.one_in_pairs}
        disabled=${query.pair_threshold != null}
        onCommit=${set("one_in_pairs")}
      />
      <${ThresholdField}
        placeholder=${thresholds.verify == null ? "" : format.similarity(thresholds.verify)}
        value=${query.pair_threshold}
        onCommit=${set("pair_threshold")}
      />
      <${QualityFilterField} query=${query} />
    </div>
  </details>`;
}
