/** A person: what is known of them, their faces, and everything that is held of them. */

import { ask, askAll, inCollection } from "../core/api.js";
import * as format from "../core/format.js";
import { html, useState } from "../core/html.js";
import { useAction, useLoaded } from "../core/loading.js";
import { go, href } from "../core/router.js";
import { saveJson } from "../core/save_file.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "../parts/as_request_button.js";
import { Empty } from "../parts/empty.js";
import { EraseDialog } from "../parts/erase_dialog.js";
import { ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { PersonName } from "../parts/person_name.js";
import { AddPhotos } from "./person/add_photos.js";
import { Alike } from "./person/alike.js";
import { Consents } from "./person/consents.js";
import { Details } from "./person/details.js";
import { Faces } from "./person/faces.js";
import { Hold } from "./person/hold.js";
import { exportCall } from "./privacy/held.js";

const FACES = 1000; // in a page of them

export default function Person({ args: [id = ""], collection }) {
  const path = inCollection(collection, "identities", id);
  const loaded = useLoaded((signal) => readPerson(path, signal), [path]);
  const { data, problem } = loaded;
  const [erasing, setErasing] = useState(false);
  const everything = useAction(async () => saveJson(`person-${id}.json`, await ask(exportCall(collection, id))));
  if (data === null) {
    const gone = problem?.status === 404;
    return html`<${PageHead} title=${t("person.title")} />
      ${gone
        ? html`<${Empty} text=${t("person.gone")}><a class="button" href=${href("people")}>${t("person.to_people")}</a><//>`
        : html`<${ProblemNotice} problem=${problem} onRetry=${loaded.reload} />`}`;
  }
  const { identity: person, faces } = data;
  const close = (erased) => {
    setErasing(false);
    if (erased.length > 0) go(href("people"));
  };
  return html`<${PageHead} title=${html`<${PersonName} person=${person} />`} lead=${html`<${Lead} person=${person} />`}>
      <button needs="correct" type="button" disabled=${everything.busy} onClick=${() => everything.run()}>${t("person.everything")}</button>
      <button needs="correct" type="button" class="danger" onClick=${() => setErasing(true)}>${t("person.erase")}</button>
    <//>
    <${ProblemNotice} problem=${problem ?? everything.problem} onRetry=${problem ? loaded.reload : undefined} />
    <div class="person-page" aria-busy=${loaded.busy ? "true" : undefined}>
      <div>
        <${Details} person=${person} onChanged=${loaded.reload} />
        <${Consents} person=${person} onChanged=${loaded.reload} onErased=${close} />
      </div>
      <div>
        <${Faces} person=${person} faces=${faces} onChanged=${loaded.reload} />
        <${AddPhotos} person=${person} onChanged=${loaded.reload} />
        <${Alike} person=${person} faces=${faces} />
        <${Hold} person=${person} onChanged=${loaded.reload} />
      </div>
    </div>
    <${AsRequestButton} call=${{ path }} />
    ${erasing && html`<${EraseDialog} people=${[person]} onClose=${close} />`}`;
}

/** What is held of a person, as the service answers it: {identity, faces}. */
async function readPerson(path, signal) {
  const [identity, faces] = await Promise.all([ask({ path, signal }), askAll({ path: `${path}/faces`, query: { limit: FACES }, signal }, "faces")]);
  return { identity, faces };
}

/** The id, and when the person came and leaves. */
function Lead({ person }) {
  const times = { enrolled: format.day(person.created_at), changed: format.day(person.updated_at) };
  const leaves = format.leavesAt(person);
  const sentence = leaves === null ? "person.lead" : "person.lead_leaves";
  return html`<code>${person.id}</code> · ${t(sentence, { ...times, leaves: format.fromNow(leaves) })}`;
}
