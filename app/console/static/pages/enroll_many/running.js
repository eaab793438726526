/** The job: how far it is, and what became of each person. */

import { duration, significant } from "../../core/format.js";
import { html, useEffect, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { href } from "../../core/router.js";
import { readCollection } from "../../core/session.js";
import { t } from "../../core/text.js";
import { Progress } from "../../parts/progress.js";
import { closeJob, pauseJob, resumeJob, sendAgain, stopJob } from "./job.js";
import { LeftOut } from "./left_out.js";
import { saveRefused } from "./refused_csv.js";
import { Rows } from "./rows.js";

const UNDECIDED = new Set(["waiting", "sending"]);

export function Running({ job }) {
  const { rows, state } = job;
  const done = rows.filter((row) => !UNDECIDED.has(row.state)).length;
  const over = state === "done" || state === "stopped";
  useEffect(() => {
    if (!over) return;
    announce(t("enroll_many.finished", { done, count: rows.length }));
    readCollection();
  }, [over]);
  const refusedPhotos = rows.some((row) => row.refused.length > 0);
  const several = rows.filter((row) => !UNDECIDED.has(row.state) && row.refused.some(isOfSeveral));
  return html`<section class="card" aria-labelledby="job">
      <h2 id="job">${t(`enroll_many.state_${state}`)}</h2>
      <${Progress} value=${done} of=${rows.length} text=${t("enroll_many.progress", { done, count: rows.length })} />
      <${Outcomes} rows=${rows} />
      <${Pace} job=${job} done=${done} />
      <p class="row">
        ${state === "running" && html`<button type="button" onClick=${pauseJob}>${t("enroll_many.pause")}</button>`}
        ${state === "paused" &&
        html`<button type="button" class="primary" onClick=${resumeJob}>${t("enroll_many.resume")}</button>`}
        ${!over && html`<button type="button" onClick=${stopJob}>${t("enroll_many.stop")}</button>`}
        ${state === "stopped" &&
        done < rows.length &&
        html`<button type="button" class="primary" onClick=${resumeJob}>${t("enroll_many.resume")}</button>`}
        ${refusedPhotos &&
        html`<button type="button" onClick=${() => saveRefused(job)}>${t("enroll_many.refused_csv")}</button>`}
        ${several.length > 0 &&
        html`<button type="button" onClick=${() => sendAgain(several.map(({ id }) => id), { faces: "largest" })}>
          ${t("enroll_many.try_largest", { count: several.length })}
        </button>`}
        ${over && html`<button type="button" class="primary" onClick=${closeJob}>${t("enroll_many.more_people")}</button>`}
        ${over && html`<a class="button" href=${href("people")}>${t("enroll_many.to_people")}</a>`}
      </p>
      ${!over && html`<p class="muted">${t("enroll_many.keep_open")}</p>`}
    </section>
    <${LeftOut} left=${job.left} />
    <${Rows} job=${job} />`;
}

/** How many people came to what, in words; nothing before the first. */
function Outcomes({ rows }) {
  const counted = ["enrolled", "known", "resembles", "refused", "failed"].map((name) => [
    name,
    rows.filter(({ state }) => state === name).length,
  ]);
  const found = counted.filter(([, count]) => count > 0);
  return found.length > 0 && html`<p>${found.map(([name, count]) => t(`enroll_many.outcome_${name}`, { count })).join(" · ")}</p>`;
}

const isOfSeveral = ({ reasons }) => reasons.includes("several_faces");

/** Photos a second, and the time that is left. */
function Pace({ job, done }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (job.state !== "running") return null;
  const seconds = (now - job.startedAt) / 1000;
  const left = (seconds / done) * (job.rows.length - done);
  const busy = Math.ceil((job.busyUntil - now) / 1000);
  if (busy > 0) return html`<p role="status">${t("enroll_many.busy", { seconds: busy })}</p>`;
  if (done === 0) return null;
  return html`<p class="muted">
    ${t("enroll_many.pace", { rate: significant(job.photosDone / seconds, 2), left: duration(left * 1000) })}
  </p>`;
}
