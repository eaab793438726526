/** What was found in each collection, and what to do with it. */

import { day, fromNow, leavesAt, rate } from "../../core/format.js";
import { html, useEffect, useState } from "../../core/html.js";
import { href } from "../../core/router.js";
import { saveJson } from "../../core/save_file.js";
import { t } from "../../core/text.js";
import { Empty } from "../../parts/empty.js";
import { Notice } from "../../parts/notice.js";
import { PersonName } from "../../parts/person_name.js";
import { Similarity } from "../../parts/similarity.js";
import { Table } from "../../parts/table.js";
import { EraseHeldDialog } from "./erase_held_dialog.js";

/** All that was found, as rows: each a finding of the document with its `identity` or `group`, and a `key`. */
const rowsOf = ({ people, unknown_groups: groups }) => [
  ...people.map((one) => ({ ...one, key: `${one.collection}/person/${one.identity.id}` })),
  ...groups.map((one) => ({ ...one, key: `${one.collection}/group/${one.group.id}` })),
];

/** @param {{document: object, byPhoto: boolean, busy: boolean, onAgain: () => void}} props */
export function HeldList({ document, byPhoto, busy, onAgain }) {
  const rows = rowsOf(document);
  const [chosen, setChosen] = useState(new Set());
  const [erasing, setErasing] = useState(null);
  useEffect(() => setChosen(new Set(rows.map(({ key }) => key))), [document]);
  const picked = rows.filter(({ key }) => chosen.has(key));
  const split = { people: picked.filter((row) => row.identity), groups: picked.filter((row) => row.group) };
  const { collections } = document;
  const left = collections.filter(({ not_searched: why }) => why);
  return html`<section aria-labelledby="held" aria-busy=${busy ? "true" : undefined}>
    <h2 id="held" tabindex="-1">${t("privacy.held")}</h2>
    ${left.length > 0 &&
    html`<${Notice} kind="warning" title=${t("privacy.not_searched", { count: left.length })}>
      <ul>
        ${left.map(({ name, not_searched: why }) => html`<li><bdi>${name}</bdi>: ${t(`privacy.not_searched_${why}`)}</li>`)}
      </ul>
    <//>`}
    ${rows.length === 0 && html`<${Empty} text=${t(byPhoto ? "privacy.nothing_alike" : "privacy.nothing_by_id", { count: collections.length - left.length })} />`}
    ${rows.some(({ certain }) => !certain) && html`<p>${t("privacy.look_at_alike")}</p>`}
    ${rows.length > 0 && html`<${Found} rows=${rows} chosen=${chosen} onChoose=${setChosen} />`}
    ${rows.length > 0 &&
    html`<p class="row">
      <button type="button" disabled=${busy} onClick=${() => saveJson("person.json", document)}>${t("privacy.save")}</button>
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

function Found({ rows, chosen, onChoose }) {
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
    { name: "basis", text: t("privacy.basis"), cell: BasisCell },
    { name: "data", text: t("privacy.data"), cell: DataCell },
    { name: "since", text: t("privacy.since"), cell: ({ identity, group }) => day(identity?.created_at ?? group.first_seen_at) },
    { name: "leaves", text: t("privacy.leaves"), cell: LeavesCell },
  ];
  return html`<${Table} caption=${t("privacy.held")} columns=${columns} rows=${rows} keyOf=${({ key }) => key} />`;
}

const WhatCell = ({ identity, group, collection }) =>
  identity
    ? html`<a href=${href("person", { collection, args: [identity.id] })}><${PersonName} person=${identity} /></a>`
    : html`<a href=${href("unknowns", { collection, args: [group.id] })}>${t("privacy.group")}</a>`;

/** Why it is taken for the person's: certain, or alike by how much. */
const BasisCell = ({ basis, similarity, limit }) =>
  html`${t(`privacy.basis_${basis}`)}
  ${similarity !== null && html`<${Similarity} value=${similarity} threshold=${limit.threshold} />`}
  ${basis === "similarity" && limit.fmr && html`<span class="muted">${t("privacy.at_rate", { rate: rate(limit.fmr.value) })}</span>`}`;

function DataCell({ identity, group, consents = [] }) {
  if (group) return t("privacy.sightings", { count: group.seen_count });
  const attributes = Object.keys(identity.attributes);
  const parts = [
    t("privacy.faces", { count: identity.face_count }),
    identity.external_id && t("privacy.has_id"),
    consents.length > 0 && t("privacy.consents", { count: consents.length }),
    identity.hold && t("privacy.held_legally"),
    attributes.length > 0 && t("privacy.attributes", { names: attributes.join(", ") }),
  ];
  return parts.filter(Boolean).join(" · ");
}

function LeavesCell({ identity }) {
  if (!identity) return t("privacy.by_retention");
  const leaves = leavesAt(identity);
  return leaves === null ? t("privacy.never") : fromNow(leaves);
}
