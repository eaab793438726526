/** What the curves were measured on, and how to measure on the people of this collection. */

import { ask, inCollection } from "../core/api.js";
import { count, dayAndTime } from "../core/format.js";
import { note } from "../core/history.js";
import { html, useEffect, useState } from "../core/html.js";
import { useAction } from "../core/loading.js";
import { setQuery } from "../core/router.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Field } from "./field.js";
import { ProblemNotice } from "./notice.js";

/** As the service does: fewer are refused. */
const FEWEST_PEOPLE = 50;

/** @param {{curve: any, collection: any, query: Record<string, string>, onChange: () => Promise<void>}} props */
export function Basis({ curve, collection, query, onChange }) {
  const path = inCollection(collection.name, "calibration");
  const measureCall = { method: "POST", path };
  const back = { method: "DELETE", path };
  const fromEmbedder = query.of === "embedder";
  const [hasOwn, setHasOwn] = useState(false);
  useEffect(() => {
    if (curve !== null && !fromEmbedder) setHasOwn(curve.own);
  }, [curve]);
  const changed = async () => {
    setQuery({ of: null });
    await onChange();
  };
  const measure = useAction(async () => {
    const hadOwn = hasOwn;
    const { people } = await ask(measureCall);
    const undo = async () => {
      await ask(back);
      await changed();
    };
    note(t("thresholds.was_measured", { count: people }), { undo: hadOwn ? undefined : undo });
    await changed();
  });
  const forget = useAction(async () => {
    await ask(back);
    const undo = async () => {
      await ask(measureCall);
      await changed();
    };
    note(t("thresholds.went_back"), { undo });
    await changed();
  });
  return html`<section class="card" aria-labelledby="thresholds-basis">
    <h2 id="thresholds-basis">${t("thresholds.basis")}</h2>
    ${curve &&
    html`<p>
      ${curve.from_archive
        ? t("thresholds.of_archive", { source: curve.source, at: dayAndTime(curve.measured_at) })
        : curve.own
        ? t("thresholds.measured_here", { people: count(curve.people), photos: count(curve.photos), at: dayAndTime(curve.measured_at) })
        : t("thresholds.measured_elsewhere", { embedder: curve.embedder, source: curve.source })}
    </p>`}
    ${(hasOwn || fromEmbedder) &&
    html`<${Field} label=${t("thresholds.shown")}>
      <select value=${fromEmbedder ? "embedder" : "collection"} onChange=${(event) => setQuery({ of: event.target.value === "embedder" ? "embedder" : null })}>
        <option value="collection">${t("thresholds.of_collection")}</option>
        <option value="embedder">${t("thresholds.of_embedder")}</option>
      </select>
    <//>`}
    <p>${t("thresholds.measuring_needs", { count: collection.identity_count, fewest: FEWEST_PEOPLE })}</p>
    <${ProblemNotice} problem=${measure.problem ?? forget.problem} />
    ${measure.busy && html`<${Measuring} />`}
    <p class="row">
      <button needs="admin" type="button" disabled=${measure.busy || forget.busy} onClick=${() => measure.run()}>
        ${t(hasOwn ? "thresholds.measure_again" : "thresholds.measure")}
      </button>
      ${hasOwn &&
      html`<button needs="admin" type="button" disabled=${measure.busy || forget.busy} onClick=${() => forget.run()}>${t("thresholds.back")}</button>`}
      <${AsRequestButton} call=${measureCall} />
    </p>
  </section>`;
}

/** How long it has taken; the service does not say how long it will. */
function Measuring() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((passed) => passed + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="progress" role="status">
    <progress aria-label=${t("thresholds.measuring")}></progress>
    <span>${t("thresholds.measuring")} <span aria-hidden="true">${t("thresholds.for_seconds", { count: seconds })}</span></span>
  </div>`;
}
