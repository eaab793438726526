/** Photos that were not enrolled, as a table to work through elsewhere. */

import { toCsv } from "../../core/csv.js";
import { saveCsv } from "../../core/save_file.js";

const COLUMNS = ["external_id", "name", "file", "reasons", "detail"];

export function saveRefused({ rows, left, collection }) {
  const refused = rows.flatMap(({ person, refused: photos, problem }) => [
    ...photos.map(({ path, reasons, detail }) => [person.externalId, person.name, path, reasons.join(" "), detail]),
    ...(problem === null ? [] : [[person.externalId, person.name, "", problem.code, problem.detail]]),
  ]);
  const unsent = left.map(({ path, reason }) => ["", "", path, reason, ""]);
  saveCsv(`refused-${collection}.csv`, toCsv(COLUMNS, [...refused, ...unsent]));
}
