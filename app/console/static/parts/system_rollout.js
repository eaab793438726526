/** How far a collection has gone over to another embedder; read again while it goes on. */

import { ask, inCollection } from "../core/api.js";
import { dayAndTime } from "../core/format.js";
import { html, useEffect } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { t, tWith } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Notice, ProblemNotice } from "./notice.js";
import { Progress } from "./progress.js";

const AGAIN_MS = 5000;

export function Rollout({ collection }) {
  const call = { path: inCollection(collection, "rollout") };
  const { data, problem, busy, reload } = useLoaded((signal) => ask({ ...call, signal }), [collection]);
  const goesOn = data?.state === "embedding";
  useEffect(() => {
    if (!goesOn || busy) return undefined;
    const timer = setTimeout(() => document.visibilityState === "visible" && reload(), AGAIN_MS);
    document.addEventListener("visibilitychange", reload);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", reload);
    };
  }, [goesOn, busy]);
  const name = () => html`<bdi>${collection}</bdi>`;
  return html`<section class="card" aria-labelledby="system-rollout">
    <h2 id="system-rollout">${tWith("system.rollout", { name })}</h2>
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data && data.state === null && html`<p>${t("system.rollout_none", { embedder: data.serving.name })}</p>`}
    ${data && data.state !== null && html`<${State} data=${data} />`}
    <p class="row"><${AsRequestButton} call=${call} /></p>
  </section>`;
}

function State({ data }) {
  const names = { from: data.from_embedder.name, to: data.to_embedder.name };
  return html`<p>${t(`system.rollout_${data.state}`, { ...names, at: dayAndTime(data.switched_at) })}</p>
    <${Progress}
      value=${data.done}
      of=${data.faces}
      text=${t("system.rollout_progress", { done: data.done, faces: data.faces, to: names.to })}
    />
    ${data.missing_before > 0 && html`<p>${t("system.rollout_missing_before", { count: data.missing_before, from: names.from })}</p>`}
    ${data.obstacles.length > 0 &&
    html`<${Notice} kind="warning" title=${t("system.rollout_obstacles")}>
      <ul>
        ${data.obstacles.map(({ code, detail }) => html`<li key=${code}>${detail} <code>${code}</code></li>`)}
      </ul>
    <//>`}`;
}
