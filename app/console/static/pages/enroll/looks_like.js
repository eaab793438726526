/** A guard found that the photos look like somebody who is enrolled: both side by side, three ways on. */

import { html } from "../../core/html.js";
import { t, tWith } from "../../core/text.js";
import { Compare } from "../../parts/compare.js";
import { Dialog } from "../../parts/dialog.js";
import { ProblemNotice } from "../../parts/notice.js";
import { PersonName } from "../../parts/person_name.js";

/**
 * @param {object} props
 * @param {object} props.resemblance of the answer
 * @param {import("./shots.js").Shot} props.shot the photo that it is about
 * @param {boolean} props.busy
 * @param {Error | null} props.problem of adding it there
 * @param {() => void} props.onAdd
 * @param {() => void} props.onForce
 * @param {() => void} props.onClose
 */
export function LooksLike({ resemblance, shot, busy, problem, onAdd, onForce, onClose }) {
  const name = () => html`<${PersonName} person=${resemblance} />`;
  return html`<${Dialog}
    wide
    title=${tWith("enroll.looks_like", { name })}
    onClose=${onClose}
    footer=${html`<button type="button" data-first-focus onClick=${onClose}>${t("frame.cancel")}</button>
      <button type="button" disabled=${busy} onClick=${onForce}>${t("enroll.somebody_else")}</button>
      <button type="button" class="primary" disabled=${busy} onClick=${onAdd}>
        <span>${tWith("enroll.add_to", { name })}</span>
      </button>`}
  >
    <${Compare}
      sides=${[
        { title: t("enroll.new_photo"), photo: shot.photo, box: shot.judgement.box ?? null },
        { title: t("enroll.enrolled_already"), person: { id: resemblance.identity_id, name: resemblance.name } },
      ]}
      similarity=${resemblance.similarity}
      threshold=${resemblance.threshold}
    />
    <p>${t("enroll.force_text")}</p>
    <${ProblemNotice} problem=${problem} />
  <//>`;
}
