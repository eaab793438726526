/** Photos that look like somebody who is enrolled: side by side, and the three ways on. */

import { html, useState } from "../../core/html.js";
import { href } from "../../core/router.js";
import { t } from "../../core/text.js";
import { Dialog } from "../../parts/dialog.js";
import { useObjectUrl } from "../../parts/photo_anywhere.js";
import { Similarity } from "../../parts/similarity.js";
import { leaveOut, sendAgain, sendTo } from "./job.js";

export function CompareRow({ row, onClose }) {
  const { person, resemblance, refused } = row;
  const name = resemblance.name ?? t("frame.nameless");
  const choose = (action) => () => {
    action();
    onClose();
  };
  return html`<${Dialog}
    wide
    title=${t("enroll_many.looks_like", { name })}
    onClose=${onClose}
    footer=${html`<button type="button" data-first-focus onClick=${onClose}>${t("frame.cancel")}</button>
      <button type="button" onClick=${choose(() => leaveOut(row.id))}>${t("enroll_many.leave_out")}</button>
      <button type="button" onClick=${choose(() => sendAgain([row.id], { force: true }))}>${t("enroll_many.somebody_else")}</button>
      <button type="button" class="primary" onClick=${choose(() => sendTo(row.id, resemblance.identity_id))}>
        ${t("enroll_many.add_to", { name })}
      </button>`}
  >
    <p>${t("enroll_many.looks_like_text", { person: person.name, name })}</p>
    <p><${Similarity} value=${resemblance.similarity} threshold=${resemblance.threshold} withheld /></p>
    <div class="many-photos">
      ${refused.slice(0, 8).map(({ path, file }) => html`<${Photo} key=${path} file=${file} path=${path} />`)}
    </div>
    <p>
      <a href=${href("person", { args: [resemblance.identity_id] })} target="_blank" rel="noopener"
        >${t("enroll_many.see", { name })}</a
      >
    </p>
  <//>`;
}

/** A photo of this computer. HEIC is named: few browsers draw it. */
function Photo({ file, path }) {
  const url = useObjectUrl(file);
  const [drawn, setDrawn] = useState(true);
  return html`<figure>
    ${url && drawn && html`<img src=${url} alt="" onError=${() => setDrawn(false)} />`}
    <figcaption><bdi>${path}</bdi></figcaption>
  </figure>`;
}
