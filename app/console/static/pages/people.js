/** People: who is enrolled, found by name or id, changed several at once. */

import { ask, inCollection } from "../core/api.js";
import * as format from "../core/format.js";
import { html, useEffect, useRef } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { go, href } from "../core/router.js";
import { collection as presentCollection } from "../core/session.js";
import { useShortcuts } from "../core/shortcuts.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "../parts/as_request_button.js";
import { Empty } from "../parts/empty.js";
import { ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { backToPlace, keepPlace, Pager, placeOf } from "../parts/pager.js";
import { PersonLink, nameOf } from "../parts/person_name.js";
import { SelectBox, useSelection } from "../parts/select_bar.js";
import { Table } from "../parts/table.js";
import { Filters, queryOf } from "./people/filters.js";
import { Selected } from "./people/selected.js";

const PAGE = 50;
const SOON_MS = 30 * 24 * 3600 * 1000;

export default function People({ collection, query }) {
  const { cursor } = placeOf(query);
  const filter = queryOf(query);
  const call = {
    path: inCollection(collection, "identities"),
    query: { ...filter, limit: PAGE, cursor },
  };
  const keys = [collection, JSON.stringify(call.query)];
  const list = useLoaded((signal) => ask({ ...call, signal }), keys);
  const people = list.data?.identities ?? [];
  const selection = useSelection(people.map(({ id }) => id));
  const find = useRef(null);
  const filtered = Object.keys(filter).length > 0;
  useShortcuts({
    n: { label: t("people.enroll"), run: () => go(href("enroll")) },
    "/": { label: t("people.find"), run: () => find.current.focus() },
  });
  usePlace(list.data, cursor);
  return html`<${PageHead} title=${t("people.title")} lead=${html`<${Counts} />`}>
      <a needs="enroll" class="button primary" href=${href("enroll")}>${t("people.enroll")}</a>
      <a needs="enroll" class="button" href=${href("enroll_many")}>${t("people.enroll_many")}</a>
    <//>
    <${Filters} query=${query} find=${find} />
    <${ProblemNotice} problem=${list.problem} onRetry=${list.reload} />
    ${list.data !== null &&
    (people.length === 0
      ? html`<${Nobody} filtered=${filtered} paged=${cursor !== null} />`
      : html`<${SelectAll} selection=${selection} count=${people.length} />
        <${Table}
          kind="wide"
          caption=${t("people.title")}
          columns=${columns(selection)}
          rows=${people}
          keyOf=${({ id }) => id}
          isSelected=${({ id }) => selection.has(id)}
          busy=${list.busy}
        />`)}
    <${Selected} people=${people.filter(({ id }) => selection.has(id))} selection=${selection} onChanged=${list.reload} />
    <div class="row">
      <${Pager} nextCursor=${list.data?.next_cursor ?? null} label=${t("people.pages")} />
      <${AsRequestButton} call=${call} />
    </div>`;
}

const SelectAll = ({ selection, count }) => {
  const all = selection.selected.length === count;
  return html`<label class="check">
    <input type="checkbox" checked=${all} onClick=${all ? selection.none : selection.all} /> ${t("people.select_all", { count })}
  </label>`;
};

/** How many there are: read with the collection, and not polled. */
function Counts() {
  const known = useStore(presentCollection);
  if (known?.identity_count === undefined) return null;
  const people = t("people.people", { count: known.identity_count });
  return t("people.counts", { people, faces: t("people.faces_of", { count: known.face_count }) });
}

function Nobody({ filtered, paged }) {
  if (!filtered && !paged) {
    return html`<${Empty} text=${t("people.nobody")}>
      <a needs="enroll" class="button primary" href=${href("enroll")}>${t("people.enroll_somebody")}</a>
    <//>`;
  }
  return html`<${Empty} text=${t(filtered ? "people.none_match" : "people.page_empty")}>
    <a class="button" href=${href("people")}>${t("people.show_all")}</a>
  <//>`;
}

/** Where the list was left, when Back leads to it; the beginning of it on another page. */
function usePlace(data, cursor) {
  const shown = useRef(undefined);
  useEffect(() => {
    if (data === null) return;
    const first = shown.current === undefined;
    const turned = !first && shown.current !== cursor;
    shown.current = cursor;
    if (!backToPlace() && turned) scrollTo({ top: 0, behavior: "instant" });
  }, [data]);
}

const columns = (selection) => [
  {
    name: "select",
    text: t("people.select"),
    quiet: true,
    cell: (person) => html`<${SelectBox} selection=${selection} id=${person.id} label=${nameOf(person)} />`,
  },
  {
    name: "name",
    text: t("people.name"),
    heads: true,
    cell: (person) => html`<${PersonLink} person=${person} onClick=${() => keepPlace(person.id)} />`,
  },
  {
    name: "id",
    text: t("people.id"),
    cell: ({ external_id }) => (external_id === null ? "—" : html`<bdi class="key">${external_id}</bdi>`),
  },
  { name: "faces", text: t("people.faces"), numeric: true, cell: ({ face_count }) => format.count(face_count) },
  {
    name: "quality",
    text: t("people.best_quality"),
    numeric: true,
    cell: ({ best_face }) => format.quality(best_face?.quality),
  },
  { name: "enrolled", text: t("people.enrolled"), cell: ({ created_at }) => html`<span class="nowrap">${format.day(created_at)}</span>` },
  {
    name: "leaves",
    text: t("people.leaves"),
    cell: ({ expires_at }) =>
      expires_at === null ? "—" : html`<time class="nowrap" datetime=${expires_at} title=${format.dayAndTime(expires_at)}>${format.fromNow(expires_at)}</time>`,
  },
  { name: "flags", text: t("people.flags"), cell: (person) => html`<${Flags} person=${person} />` },
];

/** What is worth knowing of a person, in words. */
function Flags({ person }) {
  const { face_count: faces, forced_face_count: forced, expires_at: expires } = person;
  const flags = [
    faces === 0 && t("people.flag_no_photo"),
    faces === 1 && t("people.flag_one_photo"),
    forced > 0 && t("people.flag_forced", { count: forced }),
    expires !== null && new Date(expires) - Date.now() < SOON_MS && t("people.flag_soon"),
  ].filter(Boolean);
  return html`<ul class="flags">
    ${flags.map((flag) => html`<li key=${flag}>${flag}</li>`)}
  </ul>`;
}

