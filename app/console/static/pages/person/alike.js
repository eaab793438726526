/** Who looks like this person? A search by the person's best face, which is in no candidate itself. */

import { ask, inCollection } from "../../core/api.js";
import { similarity } from "../../core/format.js";
import { html, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { route } from "../../core/router.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { ProblemNotice } from "../../parts/notice.js";
import { PersonLink } from "../../parts/person_name.js";
import { Similarity } from "../../parts/similarity.js";
import { Table } from "../../parts/table.js";

const SHOWN = 10;

/** Why nobody is listed: there is nobody else, or nobody is as alike as the service shows. */
const nobody = ({ searched, shown_from: shownFrom }) =>
  searched.people > 1 && shownFrom !== null ? t("person.nobody_shown", { similarity: similarity(shownFrom) }) : t("person.nobody_alike");

/** @param {{person: object, faces: object[]}} props */
export function Alike({ person, faces }) {
  const [answer, setAnswer] = useState(null);
  const [best] = [...faces].sort((one, other) => (other.quality ?? 0) - (one.quality ?? 0));
  const call = () => ({
    method: "POST",
    path: inCollection(route.get().collection, "search"),
    // Of a person in the gallery, not of a stranger: nothing goes into the inbox.
    json: { face_id: best.id, top_k: SHOWN + 1, keep_unknown: false },
  });
  const search = useAction(async () => setAnswer(await ask(call())));
  const others = (answer?.candidates ?? []).filter((one) => one.identity_id !== person.id).slice(0, SHOWN);
  if (best === undefined) return null;
  return html`<section class="card">
    <h2>${t("person.alike")}</h2>
    <p class="row">
      <button needs="identify" type="button" disabled=${search.busy} onClick=${() => search.run()}>${t("person.search")}</button>
      <${AsRequestButton} call=${call} />
    </p>
    <div role="status">
      <${ProblemNotice} problem=${search.problem} />
      ${answer !== null && others.length === 0 && html`<p>${nobody(answer)}</p>`}
      ${others.length > 0 &&
      html`<${Table}
        caption=${t("person.alike")}
        rows=${others}
        keyOf=${(one) => one.identity_id}
        columns=${[
          { name: "person", text: t("person.name"), heads: true, cell: (one) => html`<${PersonLink} person=${one} />` },
          {
            name: "similarity",
            text: t("person.similarity"),
            cell: (one) => html`<${Similarity} value=${one.similarity} threshold=${answer.threshold} />`,
          },
        ]}
      />`}
    </div>
  </section>`;
}
