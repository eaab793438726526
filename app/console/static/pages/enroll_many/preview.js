/** What would be sent, before anything is. */

import { count } from "../../core/format.js";
import { html, useState } from "../../core/html.js";
import { collection as present } from "../../core/session.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { ConsentFields, consentOf, NO_CONSENT } from "../../parts/consent_fields.js";
import { Empty } from "../../parts/empty.js";
import { Table } from "../../parts/table.js";
import { LeftOut } from "./left_out.js";

const SHOWN = 100;

/** @param {{plan: import("./plan.js").Plan, onStart: (consent: object | null) => void, onDrop: () => void, mayStart: boolean}} props */
export function Preview({ plan, onStart, onDrop, mayStart }) {
  const demanded = useStore(present)?.options?.people.require_consent ?? false;
  const [draft, setDraft] = useState(NO_CONSENT);
  const consent = demanded ? consentOf(draft) : null;
  const { people, left } = plan;
  const photos = people.reduce((sum, person) => sum + person.photos.length, 0);
  const single = people.filter((person) => person.photos.length === 1).length;
  const facts = [
    t("enroll_many.people", { count: people.length }),
    t("enroll_many.photos", { count: photos }),
    ...reasonsOf(left).map(([reason, number]) => t(`enroll_many.left_${reason}`, { count: number })),
    single > 0 && t("enroll_many.one_photo", { count: single }),
  ];
  if (people.length === 0) {
    return html`<${Empty} text=${t("enroll_many.nothing")}>
        <button type="button" class="primary" onClick=${onDrop}>${t("enroll_many.again")}</button>
      <//>
      <${LeftOut} left=${left} />`;
  }
  return html`<section class="card" aria-labelledby="preview">
      <h2 id="preview">${t("enroll_many.preview")}</h2>
      <p>${facts.filter(Boolean).join(" · ")}</p>
      ${single > 0 && html`<p class="muted">${t("enroll_many.one_photo_hint")}</p>`}
      ${demanded &&
      html`<fieldset>
        <legend>${t("consents.title")}</legend>
        <p class="muted">${t("consents.demanded")} ${t("enroll_many.consent_of_all")}</p>
        <${ConsentFields} draft=${draft} setDraft=${setDraft} problem=${null} required />
      </fieldset>`}
      <p class="row">
        <button needs="enroll" type="button" class="primary" disabled=${!mayStart || (demanded && consent === null)} onClick=${() => onStart(consent)}>
          ${t("enroll_many.start")}
        </button>
        <button type="button" onClick=${onDrop}>${t("enroll_many.other_files")}</button>
        <span class="muted">${t("enroll_many.nothing_sent")}</span>
      </p>
    </section>
    <${LeftOut} left=${left} />
    <${Table}
      caption=${t("enroll_many.preview")}
      rows=${people.slice(0, SHOWN)}
      keyOf=${(person) => person.externalId}
      columns=${[
        { name: "name", text: t("enroll_many.person"), heads: true, cell: ({ name }) => html`<bdi>${name}</bdi>` },
        { name: "id", text: t("enroll_many.id"), cell: ({ externalId }) => html`<bdi>${externalId}</bdi>` },
        { name: "photos", text: t("enroll_many.photo_count"), numeric: true, cell: (person) => count(person.photos.length) },
      ]}
    />
    ${people.length > SHOWN && html`<p class="muted">${t("enroll_many.more", { count: people.length - SHOWN })}</p>`}`;
}

/** How many were left out for each reason, most first. */
function reasonsOf(left) {
  const counts = new Map();
  for (const { reason } of left) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}
