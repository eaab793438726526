/** Receipts of erasures, as the service answered them: shown, saved, printed. */

import * as format from "../core/format.js";
import { html } from "../core/html.js";
import { saveJson } from "../core/save_file.js";
import { hasText, loadTexts, t } from "../core/text.js";
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
    { name: "faces", text: t("erasing.faces"), numeric: true, cell: (one) => format.count(facesOf(one)) },
    { name: "unknown", text: t("erasing.unknown"), numeric: true, cell: (one) => format.count(unknownFacesOf(one)) },
    { name: "crops", text: t("erasing.crops"), numeric: true, cell: (one) => numberOf(one.crop_count) },
    { name: "revision", text: t("erasing.revision"), numeric: true, cell: ({ revision }) => numberOf(revision) },
    { name: "compacted", text: t("erasing.compacted"), cell: (one) => html`<${Left} receipt=${one} />` },
  ].filter(Boolean);
  return html`<div class="printable">
    <${Table} caption=${t("erasing.receipts")} columns=${columns} rows=${receipts} keyOf=${keyOf} />
    <p class="row">
      <button type="button" onClick=${() => saveReceipts(receipts)}>${t("erasing.save")}</button>
      <button type="button" onClick=${() => print()}>${t("erasing.print")}</button>
    </p>
  </div>`;
}

const keyOf = (receipt) => [receipt.collection, receipt.revision, idsOf(receipt)[0] ?? ""].join("/");

/** What was erased, by id: people, groups of unknown faces, or single faces. */
const idsOf = ({ identity_ids: people = [], group_ids: groups = [], face_ids: faces }) => [...people, ...groups, ...faces];

const numberOf = (value) => (value === undefined ? "—" : format.count(value));

/** The receipt of a group counts faces by their ids alone; all of them were unknown. */
const isOfGroup = (receipt) => receipt.group_ids !== undefined;
const facesOf = (receipt) => (isOfGroup(receipt) ? 0 : receipt.face_count);
const unknownFacesOf = (receipt) => (isOfGroup(receipt) ? receipt.face_ids.length : receipt.unknown_face_count);

/** Where something may be left of it. The saved receipt has the sentences about each place. */
function Left({ receipt: { remains, compacted } }) {
  if (!remains) return t(compacted ? "erasing.yes" : "erasing.later");
  return remains.map(placeOf).join(", ");
}

const placeOf = ({ where, sealed }) => {
  const name = hasText(`erasing.left_${where}`) ? t(`erasing.left_${where}`) : where;
  return sealed ? t("erasing.left_sealed", { name }) : name;
};

/** Whose, by id: a receipt holds no name. Of a single face, its id. */
function Ids({ receipt }) {
  if (receipt.identity_count > 1) return t("erasing.people", { count: receipt.identity_count });
  const [id] = idsOf(receipt);
  return id ? html`<code>${id}</code>` : t("erasing.whole_collection");
}

/** Save receipts as they were answered: one alone, or a list. */
export function saveReceipts(receipts) {
  const [newest] = receipts;
  const day = newest.erased_at.slice(0, 10);
  saveJson(`receipt-${newest.collection}-${day}-${newest.revision ?? newest.group_ids[0] ?? newest.face_ids[0]}.json`, receipts.length === 1 ? newest : receipts);
}
