/** The question of a page that would lose something, before it is left. */

import { html } from "../core/html.js";
import { answerLeave, leave } from "../core/router.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { Dialog } from "./dialog.js";

export function Leaving() {
  const asked = useStore(leave);
  if (asked === null) return null;
  return html`<${Dialog}
    title=${t("frame.leave_title")}
    onClose=${() => answerLeave(false)}
    footer=${html`<button type="button" data-first-focus onClick=${() => answerLeave(false)}>${t("frame.stay")}</button>
      <button type="button" class="danger" onClick=${() => answerLeave(true)}>${t("frame.leave")}</button>`}
  >
    <p>${asked.text}</p>
  <//>`;
}
