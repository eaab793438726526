/** A merge that loses faces: the service keeps the newest of a group, and erases the others. */

import { html } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { t } from "../../core/text.js";
import { Dialog } from "../../parts/dialog.js";
import { ProblemNotice } from "../../parts/notice.js";
import { FACES_A_GROUP } from "./actions.js";

/**
 * @param {object} props
 * @param {{groups: any[], faces: number, tooMany: number}} props.read of readForMerge
 * @param {(read: any) => Promise<void>} props.onMerge
 * @param {() => void} props.onClose
 */
export function TooManyDialog({ read, onMerge, onClose }) {
  const send = useAction(() => onMerge(read));
  return html`<${Dialog}
    title=${t("unknowns.too_many_title", { count: read.groups.length })}
    onClose=${onClose}
    footer=${html`<button type="button" data-first-focus onClick=${onClose}>${t("frame.cancel")}</button>
      <button needs="correct" type="button" class="danger primary" disabled=${send.busy} onClick=${send.run}>
        ${t("unknowns.merge_all_the_same")}
      </button>`}
  >
    <p>${t("unknowns.too_many_text", { faces: read.faces, most: FACES_A_GROUP, count: read.tooMany })}</p>
    <${ProblemNotice} problem=${send.problem} />
  <//>`;
}
