/** On what basis a person is kept: their consents, given and withdrawn. */

import { ask, inCollection } from "../../core/api.js";
import { day } from "../../core/format.js";
import { note } from "../../core/history.js";
import { html, useId, useState } from "../../core/html.js";
import { useAction, useLoaded } from "../../core/loading.js";
import { route } from "../../core/router.js";
import { loadTexts, t, tWith } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { ConsentFields, consentOf, NO_CONSENT } from "../../parts/consent_fields.js";
import { Dialog } from "../../parts/dialog.js";
import { ErasureDialog } from "../../parts/erase_dialog.js";
import { ProblemNotice } from "../../parts/notice.js";
import { PersonName } from "../../parts/person_name.js";

await loadTexts("consents");

const PAGE = 1000;

/** @param {{person: object, onChanged: () => void, onErased: (erased: string[]) => void}} props */
export function Consents({ person, onChanged, onErased }) {
  const path = inCollection(route.get().collection, "identities", person.id, "consents");
  const call = { path, query: { limit: PAGE } };
  const { data, problem, reload } = useLoaded((signal) => ask({ ...call, signal }), [path, person.revision]);
  const [giving, setGiving] = useState(false);
  const [erasing, setErasing] = useState(null); // the consent with which the person goes
  const changed = () => {
    setGiving(false);
    reload();
    onChanged();
  };
  const withdraw = useAction(async (consent) => {
    await ask(withdrawCall(path, consent, person.hold !== null));
    note(t("consents.withdrawn_noted", { purpose: consent.purpose }));
    changed();
  });
  const consents = data?.consents ?? [];
  const isLast = ({ id }) => !person.hold && consents.every((one) => one.id === id || one.state !== "valid");
  return html`<section class="card" aria-labelledby="consents">
    <div class="row">
      <h2 id="consents">${t("consents.title")}</h2>
      <${AsRequestButton} call=${call} />
    </div>
    <${ProblemNotice} problem=${problem ?? withdraw.problem} onRetry=${problem ? reload : undefined} />
    ${data !== null && consents.length === 0 && html`<p class="muted">${t("consents.none")}</p>`}
    <ul class="plain">
      ${consents.map(
        (one) => html`<li key=${one.id}>
          <${Consent} consent=${one} />
          ${one.state === "valid" &&
          html`<button
            needs="correct"
            type="button"
            class="small"
            aria-label=${t("consents.withdraw_purpose", { purpose: one.purpose })}
            disabled=${withdraw.busy}
            onClick=${() => (isLast(one) ? setErasing(one) : withdraw.run(one))}
          >
            ${t("consents.withdraw")}
          </button>`}
        </li>`,
      )}
    </ul>
    <p><button needs="correct" type="button" onClick=${() => setGiving(true)}>${t("consents.give")}</button></p>
    ${giving && html`<${GiveDialog} path=${path} onClose=${() => setGiving(false)} onDone=${changed} />`}
    ${erasing &&
    html`<${ErasureDialog}
      title=${t("consents.withdraw_title")}
      sentence=${tWith("consents.withdraw_erases", { name: () => html`<${PersonName} person=${person} />`, count: person.face_count })}
      button=${t("consents.withdraw_and_erase")}
      typed=${null}
      items=${[{ id: person.id, call: withdrawCall(path, erasing, true), receiptOf: ({ erasure }) => erasure }]}
      note=${() => t("consents.erased_noted")}
      onClose=${(erased) => {
        setErasing(null);
        if (erased.length > 0) onErased(erased);
      }}
    />`}
  </section>`;
}

const withdrawCall = (path, { id }, confirmed) => ({
  method: "POST",
  path: `${path}/${id}:withdraw`,
  query: { confirm_erasure: confirmed ? "true" : null },
});

/** One consent, in words. */
function Consent({ consent: { purpose, basis, text_version: version, source, given_at: given, until, withdrawn_at: withdrawn, state } }) {
  const facts = [
    t(`consents.basis_${basis}`),
    version && t("consents.of_version", { version }),
    t("consents.given_at", { day: day(given) }),
    until && t("consents.until_day", { day: day(until) }),
    withdrawn && t("consents.withdrawn_at", { day: day(withdrawn) }),
  ];
  return html`<strong><bdi>${purpose}</bdi></strong> <span class="status">${t(`consents.state_${state}`)}</span>
    <br /><small class="muted">${facts.filter(Boolean).join(" · ")}${source && html` · <bdi>${source}</bdi>`}</small>${" "}`;
}

function GiveDialog({ path, onClose, onDone }) {
  const id = useId();
  const [draft, setDraft] = useState(NO_CONSENT);
  const call = () => ({ method: "POST", path, json: consentOf(draft) });
  const give = useAction(async () => {
    await ask(call());
    note(t("consents.given_noted", { purpose: draft.purpose.trim() }));
    onDone();
  });
  const footer = html`<${AsRequestButton} call=${call} />
    <button type="button" onClick=${onClose}>${t("frame.cancel")}</button>
    <button needs="correct" class="primary" form=${id} disabled=${give.busy || consentOf(draft) === null}>${t("consents.give_send")}</button>`;
  return html`<${Dialog} title=${t("consents.give_title")} onClose=${onClose} footer=${footer}>
    <form
      id=${id}
      onSubmit=${(event) => {
        event.preventDefault();
        if (consentOf(draft) !== null) give.run();
      }}
    >
      <${ConsentFields} draft=${draft} setDraft=${setDraft} problem=${give.problem} required />
      <p class="muted">${t("consents.effect")}</p>
      <${ProblemNotice} problem=${give.problem} />
    </form>
  <//>`;
}
