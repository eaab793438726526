/** Review: what the doctor finds in a collection, one finding at a time. */

import { count } from "../core/format.js";
import { html, useEffect, useRef } from "../core/html.js";
import { useAction } from "../core/loading.js";
import { href, setQuery } from "../core/router.js";
import { collection as collectionStore } from "../core/session.js";
import { useShortcuts } from "../core/shortcuts.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { note } from "../core/history.js";
import { AsRequestButton } from "../parts/as_request_button.js";
import { Empty } from "../parts/empty.js";
import { KeyButton } from "../parts/key_button.js";
import { ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { Progress } from "../parts/progress.js";
import { doctorCall, examinationOf } from "./review/examination.js";
import { FindingView, focusIfLost } from "./review/finding_view.js";

export default function Page({ query, collection }) {
  const known = useStore(collectionStore);
  const examination = examinationOf(collection);
  const { findings, cursor, ended, examined, handled, busy, paused, problem } = useStore(examination.state);
  useEffect(() => {
    if (!examination.state.get().paused) examination.goOn();
    return examination.stop; // it goes on when the page is shown again
  }, [examination]);

  const at = Math.max(0, findings.findIndex(({ key }) => key === query.finding));
  const finding = findings[at];
  const step = (by) => {
    const next = findings[at + by];
    if (next) setQuery({ finding: next.key });
  };
  useShortcuts({
    j: { label: t("review.key_next"), run: () => step(1) },
    k: { label: t("review.key_before"), run: () => step(-1) },
  });
  const hadOne = useRef(false);
  useEffect(() => {
    if (finding) hadOne.current = true;
    else if (hadOne.current) focusIfLost("page-title");
  }, [finding === undefined]);
  const again = useAction(async () => {
    note(t("review.changed"), { kind: "note" });
    await examination.examineAnew(finding);
  });

  const people = known?.identity_count ?? examined;
  const progress = t("review.progress", { count: Math.min(examined, people), of: count(people) });
  const nobody = known?.identity_count === 0;
  return html`<${PageHead} title=${t("review.title")} lead=${t("review.lead")}>
      <button type="button" onClick=${examination.restart} disabled=${nobody}>${t("review.examine_anew")}</button>
      <${AsRequestButton} call=${doctorCall(collection, cursor)} />
    <//>
    ${nobody
      ? html`<${Empty} text=${t("review.nobody")}>
          <a class="button primary" href=${href("enroll")}>${t("review.enroll")}</a>
        <//>`
      : html`<div class="row review-progress">
          <${Progress} value=${ended ? people : examined} of=${people} text=${progress} />
          ${!ended &&
          (paused
            ? html`<button type="button" class="small" onClick=${examination.goOn}>${t("review.go_on")}</button>`
            : busy &&
              html`<button type="button" class="small" onClick=${examination.pause}>${t("review.pause")}</button>`)}
        </div>`}
    <${ProblemNotice} problem=${problem} onRetry=${examination.goOn} />
    <${ProblemNotice} problem=${again.problem} />
    ${finding &&
    html`<div class="row queue-place">
        <span>${t(ended ? "review.place" : "review.place_so_far", { number: at + 1, of: findings.length })}</span>
        <${KeyButton} shortcut="k" class="small" disabled=${at === 0} onClick=${() => step(-1)}>${t("review.before")}<//>
        <${KeyButton} shortcut="j" class="small" disabled=${at === findings.length - 1} onClick=${() => step(1)}>
          ${t("review.skip")}
        <//>
      </div>
      <${FindingView}
        key=${`${finding.key} ${finding.revision}`}
        collection=${collection}
        finding=${finding}
        examination=${examination}
        isFirst=${!hadOne.current}
        onChanged=${again.run}
      />`}
    ${!finding &&
    ended &&
    !nobody &&
    html`<${Empty} text=${handled > 0 ? t("review.all_done", { count: handled }) : t("review.nothing", { count: examined })} />`}`;
}
