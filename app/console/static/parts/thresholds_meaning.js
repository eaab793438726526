/**
 * What typed rates and similarities mean, in words: measured, or an estimate beyond the data. A rate
 * that the measurements do not support is not claimed.
 */

import { rate, similarity as cosine } from "../core/format.js";
import { html } from "../core/html.js";
import { t, tWith } from "../core/text.js";
import { Notice } from "./notice.js";
import { rateAt, similarityAt } from "./rate_curve.js";
import { rateOf, similarityOf } from "./thresholds_draft.js";

/** Rates of this and less are not told apart. */
const LEAST_RATE = 1e-12;

/** A rate in words. */
export const inWords = (value) =>
  value <= LEAST_RATE ? t("thresholds.least_rate", { rate: rate(LEAST_RATE) }) : value >= 1 ? t("thresholds.all") : rate(value);

const written = (similarity) => cosine(similarity, 4);

/** Whether a rate was measured; and its 95 % interval. */
function Certainty({ value }) {
  const between = { low: inWords(value.low), high: inWords(value.high) };
  return html`<p class="muted">${t(value.extrapolated ? "thresholds.estimated" : "thresholds.measured", between)}</p>`;
}

/**
 * Among so many people, the rate needs this similarity. By the default of the service, it is never
 * below `least`, that of verify; a rate that was chosen is used as it is.
 */
export function Needed({ curve, planned, among, least }) {
  const row = curve.needed.find(({ people }) => people === planned);
  if (row?.reached && least !== null && least > row.threshold) {
    const value = () => html`<strong class="result-number">${written(least)}</strong>`;
    return html`<p>${tWith("thresholds.among_needs", { people: among, similarity: value })}</p>
      <p class="muted">${t("thresholds.not_below_verify", { similarity: written(row.threshold) })}</p>`;
  }
  const similarity = row?.reached ? () => html`<strong class="result-number">${written(row.threshold)}</strong>` : "…";
  if (row && !row.reached) {
    return html`<p>${tWith("thresholds.among", { people: among })}</p>
      <${Notice} kind="warning">${t("thresholds.not_reached")}<//>`;
  }
  return html`<p>${tWith("thresholds.among_needs", { people: among, similarity })}</p>
    ${row && html`<${Certainty} value=${row.fpir} />`}`;
}

/** Among so many people, a fixed similarity has this rate. */
export function FixedRate({ at, among }) {
  const value = () => html`<strong class="result-number">${inWords(at.fpir.value)}</strong>`;
  return html`<p>${tWith("thresholds.among_rate", { people: among, rate: value })}</p>
    <${Certainty} value=${at.fpir} />`;
}

/** The similarity that verify needs; null where none is typed, or none is supported. */
export function verifyNeeds({ verify }, defaults, points) {
  if (verify.by === "fixed") return similarityOf(verify);
  const rate = verify.by === "rate" ? rateOf(verify) : defaults.target_fmr;
  return rate === null ? null : similarityAt(points, rate);
}

/** The similarity or the rate of verify. */
export function NeededFor({ draft, defaults, curve }) {
  const { points, data_ends: dataEnds } = curve;
  const { by } = draft.verify;
  if (by === "fixed") {
    const similarity = similarityOf(draft.verify);
    if (similarity === null) return null;
    const found = rateAt(points, dataEnds, similarity);
    const value = () => html`<strong class="result-number">${inWords(found.value)}</strong>`;
    return html`<p>${tWith("thresholds.verify_is", { rate: value })}</p>
      <${Certainty} value=${found} />`;
  }
  if (by === "rate" && rateOf(draft.verify) === null) return null;
  const similarity = verifyNeeds(draft, defaults, points);
  if (similarity === null) return html`<${Notice} kind="warning">${t("thresholds.not_reached")}<//>`;
  const value = () => html`<strong class="result-number">${written(similarity)}</strong>`;
  return html`<p>${tWith("thresholds.verify_needs", { similarity: value })}</p>
    <${Certainty} value=${rateAt(points, dataEnds, similarity)} />`;
}
