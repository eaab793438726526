/** The collections: find one, create one, change its options, delete it. */

import { ask } from "../core/api.js";
import { useDraft } from "../core/draft.js";
import { count, day } from "../core/format.js";
import { html, useState } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { go, href, setQuery } from "../core/router.js";
import { readCollection } from "../core/session.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { CreateCollection, EditCollection } from "./collection_forms.js";
import { Empty } from "./empty.js";
import { EraseCollectionDialog } from "./erase_dialog.js";
import { ProblemNotice } from "./notice.js";
import { Pager, placeOf } from "./pager.js";
import { Table } from "./table.js";

const A_PAGE = 50;

export function CollectionList({ query, collection }) {
  const { cursor } = placeOf(query);
  const call = { path: "collections", query: { q: query.q, limit: A_PAGE, cursor } };
  const { data, problem, busy, reload } = useLoaded((signal) => ask({ ...call, signal }), [query.q, cursor]);
  const [dialog, setDialog] = useState(null); // {kind, of}
  const find = useDraft({ q: query.q ?? "" });
  const onFind = ({ target }) => {
    find.set("q")(target.value);
    setQuery({ q: target.value.trim() || null, after: null, before: null });
  };
  const close = () => setDialog(null);
  const changed = () => {
    close();
    reload();
    readCollection();
  };
  const deleted = (gone) => {
    close();
    if (gone.length > 0) reload();
    if (gone.includes(collection)) go(href("system", { collection: "default", query: { tab: "collections" } }));
  };
  return html`<div class="row spread">
      <search class="row">
        <input
          type="search"
          aria-label=${t("frame.collection_find")}
          placeholder=${t("frame.collection_find")}
          maxlength="255"
          value=${find.texts.q}
          onInput=${onFind}
        />
      </search>
      <span class="row">
        <${AsRequestButton} call=${call} />
        <button needs="admin" type="button" class="primary" onClick=${() => setDialog({ kind: "create" })}>${t("system.create")}</button>
      </span>
    </div>
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data &&
    (data.collections.length === 0
      ? html`<${Empty} text=${t("frame.collection_none", { start: query.q ?? "" })} />`
      : html`<${Table}
          caption=${t("frame.collections")}
          columns=${columnsOf(setDialog)}
          rows=${data.collections}
          keyOf=${({ name }) => name}
          isSelected=${({ name }) => name === collection}
          busy=${busy}
          kind="wide"
        />`)}
    ${data && html`<${Pager} nextCursor=${data.next_cursor} label=${t("system.collection_pages")} />`}
    ${dialog?.kind === "create" && html`<${CreateCollection} onClose=${close} onDone=${changed} />`}
    ${dialog?.kind === "edit" && html`<${EditCollection} collection=${dialog.of} onClose=${close} onDone=${changed} />`}
    ${dialog?.kind === "delete" && html`<${EraseCollectionDialog} collection=${dialog.of} onClose=${deleted} />`}`;
}

function columnsOf(setDialog) {
  const number = (name) => ({ name, text: t(`system.${name}`), numeric: true, cell: (row) => count(row[name]) });
  return [
    {
      name: "name",
      text: t("system.collection"),
      heads: true,
      cell: ({ name, description }) =>
        html`<a href=${href("people", { collection: name })}><bdi>${name}</bdi></a>
          ${description && html`<small class="muted clamped" title=${description}><bdi>${description}</bdi></small>`}`,
    },
    number("identity_count"),
    number("face_count"),
    number("unknown_count"),
    { name: "model", text: t("system.fact_embedder"), cell: ({ model }) => model.name },
    { name: "options", text: t("system.keeps"), cell: ({ options }) => keptBy(options) },
    { name: "created", text: t("system.created"), cell: ({ created_at }) => html`<span class="nowrap">${day(created_at)}</span>` },
    {
      name: "actions",
      text: t("system.actions"),
      quiet: true,
      cell: (row) =>
        html`<span class="row actions">
          <button
            needs="admin"
            type="button"
            class="small"
            aria-label=${t("system.edit_name", { name: row.name })}
            onClick=${() => setDialog({ kind: "edit", of: row })}
          >
            ${t("system.edit")}
          </button>
          <button
            needs="admin"
            type="button"
            class="small danger"
            aria-label=${t("system.delete_name", { name: row.name })}
            onClick=${() => setDialog({ kind: "delete", of: row })}
          >
            ${t("system.delete")}
          </button>
        </span>`,
    },
  ];
}

/** What a collection keeps beside embeddings, in words. */
function keptBy({ unknowns, crops }) {
  const kept = [unknowns.keep && t("system.kept_unknowns"), (crops.keep || unknowns.crops) && t("system.kept_crops")].filter(Boolean);
  return kept.length === 0 ? t("system.kept_nothing") : kept.join(", ");
}
