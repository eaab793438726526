/** How long an answer took, by stages, as the service measured it. */

import * as format from "../core/format.js";
import { html } from "../core/html.js";
import { stagesOf } from "../core/recognition.js";
import { hasText, t } from "../core/text.js";

/** @param {{headers: Headers | null, children?: unknown}} props */
export function Timing({ headers, children }) {
  const stages = headers === null ? [] : stagesOf(headers);
  const total = stages.find(([name]) => name === "total");
  const parts = stages.filter(([name]) => name !== "total");
  return html`<p class="timing row muted">
    ${children}
    ${total && html`<span class="number">${format.duration(total[1])}</span>`}
    ${parts.map(
      ([name, ms]) => html`<span key=${name}>${stageName(name)} <span class="number">${format.significant(ms, 2)}</span></span>`,
    )}
  </p>`;
}

const stageName = (name) => (hasText(`identify.stage_${name}`) ? t(`identify.stage_${name}`) : name);
