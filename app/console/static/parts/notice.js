/** Sentences about what is wrong or worth knowing, beside what they are about. */

import { html } from "../core/html.js";
import { Problem } from "../core/problem.js";
import { hasText, t } from "../core/text.js";
import { CopyButton } from "./copy_button.js";

/** @param {{kind?: "note" | "warning" | "danger", title?: string, children: unknown}} props */
export function Notice({ kind = "note", title, children }) {
  return html`<div class=${`notice ${kind}`} role=${kind === "danger" ? "alert" : undefined}>
    ${title && html`<strong>${title}</strong>`}
    <div>${children}</div>
  </div>`;
}

/** The sentence of a problem: the service's own, or the page's where no answer came. */
export function sentenceOf(problem) {
  if (!(problem instanceof Problem)) return t("frame.page_defect", { detail: String(problem?.message ?? problem) });
  if (problem.isOffline) return t("frame.offline");
  return problem.detail;
}

/**
 * A problem: the service's own sentence, its code, and the request's id to copy.
 * @param {{problem: Error | null, onRetry?: () => void}} props
 */
export function ProblemNotice({ problem, onRetry }) {
  if (problem == null) return null;
  const title = `frame.problem_${problem.code}`;
  return html`<div class="notice danger" role="alert">
    ${hasText(title) && html`<strong>${t(title)}</strong>`}
    <p>${sentenceOf(problem)}</p>
    ${problem.missingRight && html`<p>${t("frame.lacks_right", { right: t(`frame.right_${problem.missingRight}`) })}</p>`}
    ${problem.errors?.length > 0 &&
    html`<ul>
      ${problem.errors.map(({ field, message }) => html`<li><code>${field}</code>: ${message}</li>`)}
    </ul>`}
    ${(problem.code || onRetry) &&
    html`<p class="row">
      ${problem.code && html`<code>${problem.code}</code>`}
      ${problem.requestId && html`<${CopyButton} text=${problem.requestId} label=${t("frame.copy_request_id")} />`}
      ${onRetry && html`<button type="button" onClick=${onRetry}>${t("frame.try_again")}</button>`}
    </p>`}
  </div>`;
}
