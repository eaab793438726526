/** Files that are not sent, each with its reason. */

import { html } from "../../core/html.js";
import { t } from "../../core/text.js";

const SHOWN = 200;

export const LeftOut = ({ left }) =>
  left.length > 0 &&
  html`<details class="card">
    <summary>${t("enroll_many.left_out", { count: left.length })}</summary>
    <ul class="left-out">
      ${left.slice(0, SHOWN).map(
        ({ path, reason }) =>
          html`<li key=${path}><bdi>${path}</bdi> <span class="muted">${t(`enroll_many.reason_${reason}`)}</span></li>`,
      )}
    </ul>
    ${left.length > SHOWN && html`<p class="muted">${t("enroll_many.more", { count: left.length - SHOWN })}</p>`}
  </details>`;
