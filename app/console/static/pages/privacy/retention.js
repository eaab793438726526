/** What is kept, for how long, and who leaves next. */

import { ask, inCollection } from "../../core/api.js";
import { count, day, fromNow, leavesAt } from "../../core/format.js";
import { Fragment, html } from "../../core/html.js";
import { useLoaded } from "../../core/loading.js";
import { href, setQuery, useRoute } from "../../core/router.js";
import { collection as present, readCollection } from "../../core/session.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { Empty } from "../../parts/empty.js";
import { ProblemNotice } from "../../parts/notice.js";
import { Pager, placeOf } from "../../parts/pager.js";
import { PersonLink } from "../../parts/person_name.js";
import { Table } from "../../parts/table.js";
import { Clock } from "./clock.js";

const DAY_S = 86_400;
const HORIZONS = [7, 30, 90, 365];
const DEFAULT_HORIZON = 30;
const ROWS = 50;

export function Retention({ collection }) {
  return html`<${Clock} onErased=${readCollection} /><${Kept} /><${Leaving} collection=${collection} />`;
}

/** What this collection keeps, in words. */
function Kept() {
  const known = useStore(present);
  if (!known?.options) return null;
  const { unknowns, crops, people } = known.options;
  const longest = people.longest_retention_s;
  const facts = [
    [t("privacy.photos"), t("privacy.photos_never")],
    [t("privacy.people"), t("privacy.people_kept", { count: known.identity_count })],
    [t("privacy.consent"), t(people.require_consent ? "privacy.consent_demanded" : "privacy.consent_free")],
    longest !== null && [t("privacy.longest"), t("privacy.days", { count: Math.round(longest / DAY_S) })],
    [t("holds.title"), known.held_count ? t("holds.count", { count: known.held_count }) : t("holds.none")],
    [t("privacy.unknown_faces"), unknowns.keep ? keptUnknowns(unknowns, known) : t("privacy.not_kept")],
    [t("privacy.crops"), crops.keep ? t("privacy.crops_kept") : t("privacy.not_kept")],
    [t("privacy.crops_unknown"), unknowns.crops ? t("privacy.crops_kept") : t("privacy.not_kept")],
  ].filter(Boolean);
  return html`<section class="card" aria-labelledby="kept">
    <h2 id="kept">${t("privacy.kept")}</h2>
    <dl class="facts">
      ${facts.map(([name, text]) => html`<${Fragment} key=${name}><dt>${name}</dt><dd>${text}</dd><//>`)}
    </dl>
    <p><a href=${href("system", { query: { tab: "collections" } })}>${t("privacy.change")}</a></p>
  </section>`;
}

function keptUnknowns({ retention_s: seconds }, { unknown_face_count: faces }) {
  return seconds == null
    ? t("privacy.unknown_default", { count: faces })
    : t("privacy.unknown_kept", { count: faces, days: Math.round((10 * seconds) / DAY_S) / 10 });
}

function Leaving({ collection }) {
  const { query } = useRoute();
  const days = HORIZONS.includes(Number(query.days)) ? Number(query.days) : DEFAULT_HORIZON;
  const { cursor } = placeOf(query);
  const until = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + days * DAY_S * 1000).toISOString();
  const call = {
    path: inCollection(collection, "identities"),
    query: { expires_before: until, limit: ROWS, cursor },
  };
  const { data, problem, busy, reload } = useLoaded((signal) => ask({ ...call, signal }), [collection, days, cursor]);
  const columns = [
    { name: "name", text: t("privacy.person"), heads: true, cell: (person) => html`<${PersonLink} person=${person} />` },
    { name: "leaves", text: t("privacy.leaves"), cell: LeavesCell },
    { name: "faces", text: t("privacy.face_count"), numeric: true, cell: ({ face_count }) => count(face_count) },
  ];
  return html`<section aria-labelledby="leaving">
    <div class="row">
      <h2 id="leaving">${t("privacy.leaving")}</h2>
      <label class="row">
        ${t("privacy.within")}
        <select value=${days} onChange=${(event) => setQuery({ days: event.target.value, after: null, before: null })}>
          ${HORIZONS.map((one) => html`<option value=${one}>${t("privacy.days", { count: one })}</option>`)}
        </select>
      </label>
      <${AsRequestButton} call=${call} />
    </div>
    <p class="muted">${t("privacy.leaving_text")}</p>
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data !== null &&
    (data.identities.length === 0
      ? html`<${Empty} text=${t("privacy.leaving_none", { count: days })} />`
      : html`<${Table} caption=${t("privacy.leaving")} columns=${columns} rows=${data.identities} keyOf=${({ id }) => id} busy=${busy} />`)}
    <${Pager} nextCursor=${data?.next_cursor ?? null} label=${t("privacy.leaving")} />
  </section>`;
}

function LeavesCell(person) {
  const at = leavesAt(person);
  return html`${fromNow(at)} <span class="muted">${day(at)}</span>`;
}
