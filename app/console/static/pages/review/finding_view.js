/** One finding: what was found, and the people and faces that it is about. */

import { belowShown, similarity as written } from "../../core/format.js";
import { html, useEffect } from "../../core/html.js";
import { useLoaded } from "../../core/loading.js";
import { href } from "../../core/router.js";
import { hasText, t, tWith } from "../../core/text.js";
import { Compare } from "../../parts/compare.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";
import { nameOf, PersonName } from "../../parts/person_name.js";
import { readPeople } from "./actions.js";
import { FindingActions } from "./finding_actions.js";

/** Focus a title where what had the focus is gone, so that the next key is about what is shown. */
export function focusIfLost(id) {
  const present = document.activeElement;
  if (present === document.body || present === null || present.id === "page-title") document.getElementById(id)?.focus();
}

/**
 * @param {object} props
 * @param {string} props.collection
 * @param {any} props.finding
 * @param {any} props.examination
 * @param {boolean} props.isFirst whether it is what the page was opened with
 * @param {() => void} props.onChanged the people were changed elsewhere: look at them anew
 */
export function FindingView({ collection, finding, examination, isFirst, onChanged }) {
  const { kind } = finding;
  const { data: people, problem, reload } = useLoaded((signal) => readPeople(collection, finding, signal), []);
  useEffect(() => {
    if (!isFirst) focusIfLost("finding-title");
  }, []);
  const isGone = problem?.status === 404;
  return html`<section class="queue-item" aria-labelledby="finding-title">
    <h2 id="finding-title" tabindex="-1">${hasText(`review.kind_${kind}`) ? t(`review.kind_${kind}`) : kind}</h2>
    <p>${hasText(`review.advice_${kind}`) ? t(`review.advice_${kind}`) : finding.advice}</p>
    ${hasOwnSimilarity(finding) &&
    html`<p class="muted">
      ${t("review.own_similarity", {
        name: nameOf(finding.identity),
        similarity: finding.own_similarity === null ? belowShown(finding.shown_from) : written(finding.own_similarity),
      })}
    </p>`}
    ${isGone
      ? html`<${Notice} kind="warning" title=${t("review.gone")}>
          <p>${t("review.gone_text")}</p>
          <p><button type="button" onClick=${() => examination.handled(finding)}>${t("review.next")}</button></p>
        <//>`
      : html`<${ProblemNotice} problem=${problem} onRetry=${reload} />
          ${people !== null &&
          html`<${FindingActions}
            collection=${collection}
            finding=${finding}
            people=${people}
            examination=${examination}
            onChanged=${onChanged}
          />`}
          <p class="row">
            ${[finding.identity, finding.other].filter(Boolean).map(
              (person) => html`<a key=${person.identity_id} href=${href("person", { args: [person.identity_id] })}>
                ${tWith("review.open", { name: () => html`<${PersonName} person=${person} />` })}
              </a>`,
            )}
          </p>
          <${Compare} sides=${sidesOf(finding)} similarity=${finding.similarity} threshold=${finding.threshold} />`}
  </section>`;
}

/** Whether the finding is about one face, which is compared with the others of its person. */
const hasOwnSimilarity = ({ face_id: faceId, own_similarity: own, shown_from: shownFrom }) =>
  own !== null || (faceId !== null && shownFrom !== null);

/** The person with the odd face and the person whom it looks like; or two people. */
function sidesOf({ identity, other, face_id: faceId, other_face_id: otherFaceId }) {
  const own = { title: faceId ? t("review.side_face") : t("review.side_one"), person: identity, faceId };
  if (other === null) return [own];
  const title = faceId ? t("review.side_looks_like") : t("review.side_other");
  return [own, { title, person: other, faceId: otherFaceId, isAlike: true }];
}
