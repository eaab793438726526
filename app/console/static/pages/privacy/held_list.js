/** What was found in each collection, and what to do with it. */

import { day, fromNow } from "../../core/format.js";
import { html, useEffect, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { href } from "../../core/router.js";
import { saveJson } from "../../core/save_file.js";
import { t } from "../../core/text.js";
import { Empty } from "../../parts/empty.js";
import { Notice, ProblemNotice, sentenceOf } from "../../parts/notice.js";
import { PersonName } from "../../parts/person_name.js";
import { Similarity } from "../../parts/similarity.js";
import { Table } from "../../parts/table.js";
import { EraseHeldDialog } from "./erase_held_dialog.js";
import { documentOf } from "./held.js";

/** All that was found, as rows: {key, collection, identity | group, similarity, threshold, isAlike}. */
const rowsOf = (held) =>
  held.flatMap(({ collection, people, groups }) => [
    ...people.map((one) => ({ ...one, collection, key: `${collection}/person/${one.identity.id}` })),
    ...groups.map((one) => ({ ...one, collection, key: `${collection}/group/${one.group.id}` })),
  ]);

export function HeldList({ held, byPhoto, noFace, busy, onAgain }) {
  const rows = rowsOf(held);
  const [chosen, setChosen] = useState(new Set());
  const [erasing, setErasing] = useState(null);
  useEffect(() => setChosen(new Set(rows.filter(({ isAlike }) => isAlike).map(({ key }) => key))), [held]);
  const picked = rows.filter(({ key }) => chosen.has(key));
  const split = { people: picked.filter((row) => row.identity), groups: picked.filter((row) => row.group) };
  const save = useAction(async () => saveJson("held.json", await documentOf(split)));
  const failed = held.filter(({ problem }) => problem !== null);
  return html`<section aria-labelledby="held" aria-busy=${busy ? "true" : undefined}>
    <h2 id="held" tabindex="-1">${busy ? t("privacy.searching", { count: held.length }) : t("privacy.held")}</h2>
    ${failed.length > 0 &&
    html`<${Notice} kind="warning" title=${t("privacy.not_searched", { count: failed.length })}>
      <ul>
        ${failed.map(({ collection, problem }) => html`<li><bdi>${collection}</bdi>: ${sentenceOf(problem)}</li>`)}
      </ul>
    <//>`}
    ${noFace && html`<${Notice} kind="warning">${t("privacy.no_face")}<//>`}
    ${!busy && rows.length === 0 && !noFace &&
    html`<${Empty} text=${t(byPhoto ? "privacy.nothing_alike" : "privacy.nothing_by_id", { count: held.length - failed.length })} />`}
    ${rows.length > 0 && html`<${Found} rows=${rows} chosen=${chosen} onChoose=${setChosen} byPhoto=${byPhoto} />`}
    <${ProblemNotice} problem=${save.problem} />
    ${rows.length > 0 &&
    html`<p class="row">
      <button type="button" disabled=${picked.length === 0 || save.busy} onClick=${save.run}>${t("privacy.save")}</button>
      <button needs="correct" type="button" class="danger" disabled=${picked.length === 0 || busy} onClick=${() => setErasing(split)}>
        ${t("privacy.erase", { count: picked.length })}
      </button>
      <button type="button" class="quiet" disabled=${busy} onClick=${onAgain}>${t("privacy.again")}</button>
    </p>`}
    ${erasing &&
    html`<${EraseHeldDialog}
      ...${erasing}
      onClose=${(erased) => {
        setErasing(null);
        // What is left is looked up, and not assumed.
        if (erased.length > 0) onAgain();
      }}
    />`}
  </section>`;
}

function Found({ rows, chosen, onChoose, byPhoto }) {
  const toggle = (key) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    onChoose(next);
  };
  const columns = [
    {
      name: "choose",
      text: t("frame.selection"),
      quiet: true,
      cell: ({ key, identity }) => html`<input
        type="checkbox"
        checked=${chosen.has(key)}
        aria-label=${t("frame.select", { name: identity ? (identity.name ?? identity.id) : t("privacy.group") })}
        onChange=${() => toggle(key)}
      />`,
    },
    { name: "what", text: t("privacy.what"), heads: true, cell: WhatCell },
    { name: "collection", text: t("privacy.collection"), cell: ({ collection }) => html`<bdi>${collection}</bdi>` },
    byPhoto && {
      name: "similarity",
      text: t("privacy.similarity"),
      cell: (row) => html`<${Similarity} value=${row.similarity} threshold=${row.threshold} />
        ${!row.isAlike && html`<span class="muted">${t("privacy.judge")}</span>`}`,
    },
    { name: "data", text: t("privacy.data"), cell: DataCell },
    { name: "since", text: t("privacy.since"), cell: ({ identity, group }) => day(identity?.created_at ?? group.first_seen_at) },
    { name: "leaves", text: t("privacy.leaves"), cell: LeavesCell },
  ].filter(Boolean);
  return html`<${Table} caption=${t("privacy.held")} columns=${columns} rows=${rows} keyOf=${({ key }) => key} />`;
}

const WhatCell = ({ identity, group, collection }) =>
  identity
    ? html`<a href=${href("person", { collection, args: [identity.id] })}><${PersonName} person=${identity} /></a>`
    : html`<a href=${href("unknowns", { collection, args: [group.id] })}>${t("privacy.group")}</a>`;

function DataCell({ identity, group }) {
  if (group) return t("privacy.sightings", { count: group.seen_count });
  const attributes = Object.keys(identity.attributes);
  const parts = [
    t("privacy.faces", { count: identity.face_count }),
    identity.external_id && t("privacy.has_id"),
    attributes.length > 0 && t("privacy.attributes", { names: attributes.join(", ") }),
  ];
  return parts.filter(Boolean).join(" · ");
}

const LeavesCell = ({ identity }) => (identity ? (identity.expires_at ? fromNow(identity.expires_at) : t("privacy.never")) : t("privacy.by_retention"));
