/** What can be done with the selected people. */

import { html, useState } from "../../core/html.js";
import { toCsv } from "../../core/csv.js";
import { saveCsv } from "../../core/save_file.js";
import { t } from "../../core/text.js";
import { EraseDialog } from "../../parts/erase_dialog.js";
import { MergeDialog } from "../../parts/merge_dialog.js";
import { SelectBar } from "../../parts/select_bar.js";
import { SetAttribute, SetExpiry } from "./set_fields.js";

/** @param {{people: object[], selection: any, onChanged: () => void}} props */
export function Selected({ people, selection, onChanged }) {
  const [doing, setDoing] = useState(null); // {what, people}: what a dialog is about stays as it was
  const open = (what) => () => setDoing({ what, people });
  const close = (changed) => {
    setDoing(null);
    if (changed) onChanged();
  };
  return html`<${SelectBar} selection=${selection}>
      <button needs="correct" type="button" onClick=${open("expiry")}>${t("people.set_expiry")}</button>
      <button needs="correct" type="button" onClick=${open("attribute")}>${t("people.set_attribute")}</button>
      <button type="button" onClick=${() => saveCsv("people.csv", asCsv(people))}>${t("people.export_csv")}</button>
      ${people.length === 2 && html`<button needs="correct" type="button" onClick=${open("merge")}>${t("people.merge")}</button>`}
      <button needs="correct" type="button" class="danger" onClick=${open("erase")}>${t("people.erase")}</button>
    <//>
    ${doing?.what === "expiry" && html`<${SetExpiry} people=${doing.people} onClose=${close} onUndone=${onChanged} />`}
    ${doing?.what === "attribute" && html`<${SetAttribute} people=${doing.people} onClose=${close} onUndone=${onChanged} />`}
    ${doing?.what === "merge" && html`<${MergeDialog} people=${doing.people} onClose=${() => close(true)} />`}
    ${doing?.what === "erase" && html`<${EraseDialog} people=${doing.people} onClose=${(erased) => close(erased.length > 0)} />`}`;
}

const COLUMNS = ["id", "external_id", "name", "attributes", "face_count", "created_at", "expires_at", "threshold"];

/** People as a table, which a spreadsheet opens without running what is in it. */
const asCsv = (people) =>
  toCsv(
    COLUMNS,
    people.map((person) =>
      COLUMNS.map((name) => (name === "attributes" ? JSON.stringify(person.attributes) : person[name])),
    ),
  );
