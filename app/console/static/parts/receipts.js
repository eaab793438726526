/** Receipts of erasures, as the service answered them: shown, saved, printed. */

import * as format from "../core/format.js";
import { html } from "../core/html.js";
import { saveJson } from "../core/save_file.js";
import { loadTexts, t } from "../core/text.js";
import { Table } from "./table.js";

await loadTexts("erasing");

/**
 * @param {{receipts: object[], collections?: boolean}} props
 *   receipts: answers of DELETE; collections: whether to name the collection of each
 */
export function Receipts({ receipts, collections = false }) {
  const columns = [
    { name: "at", text: t("erasing.at"), heads: true, cell: ({ erased_at }) => format.dayAndTime(erased_at) },
    collections && { name: "collection", text: t("erasing.collection"), cell: (one) => html`<bdi>${one.collection}</bdi>` },
    { name: "what", text: t("erasing.ids"), cell: (one) => html`<${Ids} receipt=${one} />` },
    { name: "faces", text: t("erasing.faces"), numeric: true, cell: (one) => format.count(one.face_count) },
    { name: "unknown", text: t("erasing.unknown"), numeric: true, cell: (one) => format.count(one.unknown_face_count) },
    { name: "crops", text: t("erasing.crops"), numeric: true, cell: (one) => format.count(one.crop_count) },
    { name: "revision", text: t("erasing.revision"), numeric: true, cell: ({ revision }) => format.count(revision) },
    { name: "compacted", text: t("erasing.compacted"), cell: (one) => t(one.compacted ? "erasing.yes" : "erasing.later") },
  ].filter(Boolean);
  return html`<div class="printable">
    <${Table} caption=${t("erasing.receipts")} columns=${columns} rows=${receipts} keyOf=${keyOf} />
    <p class="row">
      <button type="button" onClick=${() => saveReceipts(receipts)}>${t("erasing.save")}</button>
      <button type="button" onClick=${() => print()}>${t("erasing.print")}</button>
    </p>
  </div>`;
}

const keyOf = ({ collection, revision, identity_ids, face_ids }) =>
  [collection, revision, identity_ids[0] ?? face_ids[0] ?? ""].join("/");

/** Whose, by id: a receipt holds no name. Of a single face, its id. */
function Ids({ receipt }) {
  if (receipt.identity_count > 1) return t("erasing.people", { count: receipt.identity_count });
  const [id] = [...receipt.identity_ids, ...receipt.face_ids];
  return id ? html`<code>${id}</code>` : t("erasing.whole_collection");
}

/** Save receipts as they were answered: one alone, or a list. */
export function saveReceipts(receipts) {
  const [newest] = receipts;
  const day = newest.erased_at.slice(0, 10);
  saveJson(`receipt-${newest.collection}-${day}-${newest.revision}.json`, receipts.length === 1 ? newest : receipts);
}
