/** A similarity beside its threshold, and the decision in words and in shape. Never a percentage. */

import { belowShown, similarity as written } from "../core/format.js";
import { html } from "../core/html.js";
import { t } from "../core/text.js";

const SIGNS = { match: "✓", ambiguous: "≈", unknown: "?", rejected: "✕" };

/** The decision on a face. @param {{status: keyof SIGNS}} props */
export const Status = ({ status }) =>
  html`<span class=${`status ${status}`}><span aria-hidden="true">${SIGNS[status]}</span> ${t(`frame.status_${status}`)}</span>`;

/**
 * A bar of the similarity with a mark at the threshold; the numbers stand beside it.
 * @param {object} props similarities, cosines -1 to 1
 * @param {number | null} props.value
 * @param {number | null} props.threshold
 * @param {boolean} [props.withheld] the service does not show it to this key
 * @param {number | null} [props.shownFrom] the least that it shows
 */
export function Similarity({ value, threshold, withheld = false, shownFrom = null }) {
  if (value == null) return html`<span>${withheld ? belowShown(shownFrom) : "—"}</span>`;
  const at = (cosine) => `${100 * Math.min(1, Math.max(0, cosine))}%`;
  return html`<span class="similarity">
    <span class="number">${written(value)}</span>
    <span class="meter" aria-hidden="true">
      <span class=${threshold != null && value >= threshold ? "reached" : ""} style=${{ width: at(value) }}></span>
      ${threshold != null && html`<i style=${{ insetInlineStart: at(threshold) }}></i>`}
    </span>
    ${threshold != null && html`<span class="needs">${t("frame.needs", { threshold: written(threshold) })}</span>`}
  </span>`;
}
