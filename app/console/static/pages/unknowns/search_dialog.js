/** "Is this person among the unknowns?": a photo is compared with the faces of the inbox, and not kept. */

import { ask, inCollection } from "../../core/api.js";
import { fromNow } from "../../core/format.js";
import { html, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useAction } from "../../core/loading.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Dialog } from "../../parts/dialog.js";
import { Drop } from "../../parts/drop.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";
import { Similarity } from "../../parts/similarity.js";
import { shortId } from "./actions.js";
import { GroupThumb } from "./group_list.js";

/** @param {{collection: string, onShow: (id: string) => void, onClose: () => void}} props onShow: a group was chosen */
export function SearchDialog({ collection, onShow, onClose }) {
  const [found, setFound] = useState(null); // {photo, face, count}
  const callWith = (photo) => ({
    method: "POST",
    path: inCollection(collection, "unknowns:search"),
    form: [["image", photo]],
  });
  const search = useAction(async ([photo]) => {
    const answer = await ask({ ...callWith(photo), tries: 5 });
    setFound({ photo, face: answer.faces[0], count: answer.faces_found });
    announce(t("unknowns.search_found", { count: matches(answer.faces[0]).length }));
  });
  const groups = found?.face?.groups ?? [];
  return html`<${Dialog} title=${t("unknowns.search")} onClose=${onClose}>
    <p>${t("unknowns.search_text")}</p>
    <${Drop} needs="identify" compact=${found !== null} onFiles=${search.run} />
    <${ProblemNotice} problem=${search.problem} />
    ${found && found.count === 0 && html`<${Notice} kind="warning">${t("unknowns.no_face")}<//>`}
    ${found?.count > 1 && html`<${Notice}>${t("unknowns.largest_face", { count: found.count })}<//>`}
    ${found?.face &&
    html`<p><strong>${t("unknowns.search_found", { count: matches(found.face).length })}</strong></p>
      <ul class="plain" aria-label=${t("unknowns.search")}>
        ${groups.map(
          (group) => html`<li key=${group.id} class="row">
            <${GroupThumb} group=${group} />
            <button type="button" class="quiet" onClick=${() => onShow(group.id)}>
              ${t("unknowns.group", { id: shortId(group.id) })}
            </button>
            <span class="muted">${t("unknowns.seen", { count: group.seen_count })}, ${fromNow(group.last_seen_at)}</span>
            <${Similarity} value=${group.similarity} threshold=${found.face.threshold} />
          </li>`,
        )}
      </ul>
      <${AsRequestButton} call=${() => callWith(found.photo)} />`}
  <//>`;
}

/** Groups that are alike enough to be of the same person. */
const matches = (face) => (face?.groups ?? []).filter(({ similarity }) => similarity >= (face.threshold ?? Infinity));
