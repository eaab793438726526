/**
 * Start: an empty collection has a checklist, by which somebody is recognised in a minute; any other
 * has its counts, and what may be done next. The trial is loaded where it is shown: the page of a
 * collection in use does without camera and boxes.
 */

import * as format from "../core/format.js";
import { html, useEffect, useState } from "../core/html.js";
import { presentKey } from "../core/keys.js";
import { prefs, setPrefs } from "../core/prefs.js";
import { href } from "../core/router.js";
import { collection as presentCollection, info, readCollection } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";

/** @param {{collection: string}} props */
export default function Page({ collection }) {
  const present = useStore(presentCollection);
  const { startDismissed } = useStore(prefs);
  const [trying, setTrying] = useState(false);
  const isEmpty = present?.identity_count === 0 && !startDismissed;
  useEffect(() => {
    if (isEmpty) setTrying(true); // the checklist stays when its second step has filled the collection
  }, [isEmpty]);
  if (present === null) return html`<${PageHead} title=${t("start.title")} />`;
  if (present.problem) {
    return html`<${PageHead} title=${t("start.title")} />
      <${ProblemNotice} problem=${present.problem} onRetry=${readCollection} />
      ${present.problem.status === 404 && html`<p><a class="button" href=${href("system")}>${t("frame.collections_manage")}</a></p>`}`;
  }
  const trial = trying || isEmpty;
  const dismiss = () => {
    setPrefs({ startDismissed: true });
    setTrying(false);
    document.getElementById("page-title").focus(); // the button is gone
  };
  return html`<${PageHead} title=${t(trial ? "start.try_title" : "start.title")} lead=${t(trial ? "start.try_lead" : "start.lead")}>
      ${trial
        ? html`<button type="button" class="quiet" onClick=${dismiss}>${t("start.dismiss")}</button>`
        : html`<button type="button" onClick=${() => setTrying(true)}>${t("start.try_again")}</button>`}
    <//>
    <div class="start">
      ${trial ? html`<${Trial} collection=${collection} />` : html`<${Overview} present=${present} />`}
      <${ThisService} present=${present} />
    </div>`;
}

/** The three steps, once their module is there. */
function Trial(props) {
  const [loaded, setLoaded] = useState({ Steps: null, problem: null });
  const load = () =>
    import("../parts/trial.js").then(
      ({ TrialSteps }) => setLoaded({ Steps: TrialSteps, problem: null }),
      (problem) => setLoaded({ Steps: null, problem }),
    );
  useEffect(() => {
    load();
  }, []);
  if (loaded.Steps === null) {
    return html`<div><${ProblemNotice} problem=${loaded.problem} onRetry=${load} /></div>`;
  }
  return html`<${loaded.Steps} ...${props} />`;
}

/** What the collection holds, and what may be done next. */
function Overview({ present }) {
  const counts = [
    ["people", present.identity_count, "people"],
    ["faces", present.face_count, "people"],
    ["unknowns", present.unknown_count, "unknowns"],
  ];
  const next = [
    ...(present.unknown_count > 0 ? [["unknowns", "unknowns"]] : []),
    ["enroll", "enroll"],
    ["enroll_many", "enroll_many"],
    ["identify", "identify"],
    ...(present.identity_count > 1 ? [["review", "review"]] : []),
    ["thresholds", "thresholds"],
  ];
  return html`<div>
    <ul class="counts">
      ${counts.map(
        ([name, count, page]) => html`<li key=${name} class="card">
          <a href=${href(page)}><b class="number">${format.count(count)}</b> ${t(`start.count_${name}`, { count })}</a>
        </li>`,
      )}
    </ul>
    <h2>${t("start.next")}</h2>
    <ul class="next">
      ${next.map(
        ([name, page]) => html`<li key=${name}>
          <a href=${href(page)}>${t(`start.next_${name}`)}</a>
          <span class="muted">${t(`start.next_${name}_text`, { count: present.unknown_count })}</span>
        </li>`,
      )}
    </ul>
  </div>`;
}

/** What runs here, and what it keeps. */
function ThisService({ present }) {
  const known = useStore(info);
  const rows = [
    ["model", `${known.model.name} · ${known.device} · ${known.runtime}`],
    ["version", known.version],
    ["people", format.count(present.identity_count)],
    ["faces", format.count(present.face_count)],
    ["revision", format.count(present.revision)],
    ["key", t(presentKey() === null ? "start.without_key" : "start.with_key")],
    ["host", location.host],
    ["photos", t(present.options?.crops?.keep ? "start.crops_kept" : "start.photos_not_kept")],
  ];
  return html`<section class="card this-service" aria-labelledby="this-service">
    <h2 id="this-service">${t("start.this_service")}</h2>
    <dl>
      ${rows.map(([name, value]) => html`<div key=${name}><dt>${t(`start.${name}`)}</dt><dd>${value}</dd></div>`)}
    </dl>
  </section>`;
}
