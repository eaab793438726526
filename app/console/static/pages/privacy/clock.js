/** A clock that is not believed: what waits because of it, and an admin's word that it is right. */

import { ask } from "../../core/api.js";
import { dayAndTime } from "../../core/format.js";
import { note } from "../../core/history.js";
import { html } from "../../core/html.js";
import { useAction, useLoaded } from "../../core/loading.js";
import { loadTexts, t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";

await loadTexts("holds");

/** Shown while expired people wait; nothing else. */
export function Clock({ onErased }) {
  const { data, reload } = useLoaded((signal) => ask({ path: "retention", signal }), []);
  const call = () => ({ method: "POST", path: "retention:confirm", json: { clock: data.clock } });
  const confirm = useAction(async () => {
    // The moment that was read is minutes old by now: the service compares with its own.
    const { clock } = await ask({ path: "retention" });
    await ask({ ...call(), json: { clock } });
    note(t("holds.confirmed"));
    reload();
    onErased();
  });
  if (data?.state !== "waits") return null;
  return html`<${Notice} kind="danger" title=${t("holds.waits")}>
    <p>${t(`holds.why_${data.why}`)}</p>
    <ul>
      ${data.waiting.map(({ what, collection, count }) => html`<li key=${`${what}/${collection}`}>${t(`holds.waiting_${what}`, { count, collection: collection ?? "" })}</li>`)}
    </ul>
    <p>${t("holds.clock", { clock: dayAndTime(data.clock) })}</p>
    <${ProblemNotice} problem=${confirm.problem} />
    <p class="row">
      <button needs="admin" type="button" class="danger" disabled=${confirm.busy} onClick=${() => confirm.run()}>${t("holds.confirm")}</button>
      <${AsRequestButton} call=${call} />
    </p>
  <//>`;
}
