/** A dialog with a form that sends one request. */

import { ask } from "../core/api.js";
import { html, useId } from "../core/html.js";
import { useAction } from "../core/loading.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Dialog } from "./dialog.js";
import { ProblemNotice } from "./notice.js";

/**
 * A form that sends a request once.
 * @param {{title: string, submit: string, call: () => any, danger?: boolean, onClose: () => void, onDone: (answer: any) => void, children: (problem: any) => unknown}} props
 */
export function RequestForm({ title, submit, call, danger = false, onClose, onDone, children }) {
  const id = useId();
  const action = useAction(async () => onDone(await ask(call())));
  const send = (event) => {
    event.preventDefault();
    action.run();
  };
  const footer = html`<${AsRequestButton} call=${call} />
    <button type="button" onClick=${onClose}>${t("frame.cancel")}</button>
    <button needs="admin" class=${danger ? "danger primary" : "primary"} form=${id} disabled=${action.busy}>${submit}</button>`;
  return html`<${Dialog} title=${title} onClose=${onClose} footer=${footer}>
    <form id=${id} onSubmit=${send}>
      ${children(action.problem)}
      <${ProblemNotice} problem=${action.problem} />
    </form>
  <//>`;
}
