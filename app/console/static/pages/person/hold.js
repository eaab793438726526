/** The legal hold on a person: why they are not erased, set and lifted by right. */

import { ask, inCollection } from "../../core/api.js";
import { day } from "../../core/format.js";
import { note } from "../../core/history.js";
import { html, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { route } from "../../core/router.js";
import { readCollection } from "../../core/session.js";
import { loadTexts, t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { errorOf, Field } from "../../parts/field.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";

await loadTexts("holds");

const LONGEST = 1000;

/** @param {{person: object, onChanged: () => void}} props */
export function Hold({ person, onChanged }) {
  const path = inCollection(route.get().collection, "identities", person.id, "hold");
  return person.hold ? html`<${Held} ...${{ path, onChanged, hold: person.hold }} />` : html`<${SetHold} ...${{ path, onChanged }} />`;
}

function Held({ path, hold, onChanged }) {
  const call = { method: "DELETE", path };
  const lift = useAction(async () => {
    await ask(call);
    note(t("holds.lifted"));
    onChanged();
    readCollection(); // the collection counts who is held
  });
  return html`<section class="card" aria-labelledby="hold">
    <h2 id="hold">${t("holds.title")}</h2>
    <${Notice} kind="warning" title=${t("holds.held")}>
      <p><bdi>${hold.reason}</bdi></p>
      <p class="muted">${t("holds.since", { since: day(hold.since), principal: hold.principal })}</p>
    <//>
    <${ProblemNotice} problem=${lift.problem} />
    <p class="row">
      <button needs="admin" type="button" disabled=${lift.busy} onClick=${() => lift.run()}>${t("holds.lift")}</button>
      <${AsRequestButton} call=${call} />
    </p>
  </section>`;
}

function SetHold({ path, onChanged }) {
  const [reason, setReason] = useState("");
  const call = { method: "PUT", path, json: { reason: reason.trim() } };
  const set = useAction(async () => {
    await ask(call);
    note(t("holds.set_noted"));
    onChanged();
    readCollection(); // the collection counts who is held
  });
  const submit = (event) => {
    event.preventDefault();
    if (reason.trim()) set.run();
  };
  return html`<form class="card" onSubmit=${submit}>
    <h2>${t("holds.title")}</h2>
    <p class="muted">${t("holds.text")}</p>
    <${ProblemNotice} problem=${set.problem} />
    <${Field} label=${t("holds.reason")} hint=${t("holds.reason_hint")} error=${errorOf(set.problem, "reason")}>
      <input value=${reason} dir="auto" maxlength=${LONGEST} onInput=${(event) => setReason(event.target.value)} />
    <//>
    <p class="row">
      <button needs="correct" type="submit" disabled=${!reason.trim() || set.busy}>${t("holds.set")}</button>
      ${reason.trim() && html`<${AsRequestButton} call=${() => call} />`}
    </p>
  </form>`;
}
