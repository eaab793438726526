/** The quality of a face: a bar for each component, worst first, with what it means in words. */

import * as format from "../core/format.js";
import { html } from "../core/html.js";
import { hasText, loadTexts, t } from "../core/text.js";

await loadTexts("quality");

const GOOD = 60;
const SHARES = new Set(["underexposure", "overexposure", "contrast", "cropping"]); // 0 to 1

/** Why a face is refused, in words; the service's code where there are none. */
export const reasonText = (code) => (hasText(`frame.reason_${code}`) ? t(`frame.reason_${code}`) : code);

/**
 * Components with their scores, 0 to 100, worst first; those below 60 with what would help.
 * @param {{components: Record<string, {raw: number, score: number}>}} props
 */
export const ComponentBars = ({ components }) =>
  html`<dl class="components">
    ${Object.entries(components)
      .sort(([, one], [, other]) => one.score - other.score)
      .map(
        ([name, { raw, score }]) => html`<div key=${name} class=${score < GOOD ? "low" : undefined}>
          <dt>${nameOf(name)}</dt>
          <dd>
            <span class="component-bar" aria-hidden="true"><span style=${{ width: `${score}%` }}></span></span>
            <span class="number">${format.quality(score)}</span>
            <small class="muted">${meaningOf(name, raw, score)}</small>
          </dd>
        </div>`,
      )}
  </dl>`;

const nameOf = (name) => (hasText(`quality.${name}`) ? t(`quality.${name}`) : name);

function meaningOf(name, raw, score) {
  const remedy = `quality.${name}_remedy`;
  if (score < GOOD && hasText(remedy)) return t(remedy);
  const value = SHARES.has(name) ? format.percent(raw) : format.significant(raw, 2);
  return hasText(`quality.${name}_raw`) ? t(`quality.${name}_raw`, { value }) : value;
}

/**
 * Which levels of `quality_filter` accept the face; of the others, why not.
 * @param {{rejected: Record<string, string[]>}} props reasons by level
 */
export function LevelList({ rejected }) {
  return html`<ul class="levels">
    ${Object.entries(rejected).map(
      ([level, reasons]) => html`<li key=${level} class=${reasons.length > 0 ? "refused" : undefined}>
        <span aria-hidden="true">${reasons.length > 0 ? "✕" : "✓"}</span> <b>${level}</b>${" "}
        ${reasons.length > 0
          ? t("quality.refused", { reasons: reasons.map(reasonText).join(", ") })
          : t("quality.accepted")}
      </li>`,
    )}
  </ul>`;
}
