/** Tables, with captions and scopes; where there is no room, each row is a card. */

import { html } from "../core/html.js";
import { setQuery } from "../core/router.js";
import { t } from "../core/text.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} name
 * @property {string} text the head
 * @property {(row: Row) => unknown} cell
 * @property {boolean} [numeric]
 * @property {boolean} [heads] whether it names the row
 * @property {boolean} [quiet] whether its head is read out, but not seen
 * @property {(row: Row) => number | string | null} [value] what rows are sorted by
 */

/** The order of a table, as the address has it: `?by=-name` is descending. */
export function orderOf(query, otherwise) {
  const text = query.by ?? otherwise;
  return { name: text.replace(/^-/, ""), down: text.startsWith("-") };
}

/** Rows in an order; those without a value are last. */
export function inOrder(rows, columns, { name, down }) {
  const value = columns.find((column) => column.name === name)?.value;
  if (value === undefined) return rows;
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  return [...rows].sort((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first == null || second == null) return (first == null) - (second == null);
    return down ? compare(second, first) : compare(first, second);
  });
}

/** The head of a column that rows can be sorted by: numbers begin with the greatest. */
function Sorter({ name, text, numeric, order }) {
  const isPresent = order.name === name;
  const down = isPresent ? !order.down : Boolean(numeric);
  return html`<button type="button" class="sorter" title=${t("frame.sort")} onClick=${() => setQuery({ by: `${down ? "-" : ""}${name}` })}>
    ${text} <span aria-hidden="true">${isPresent ? (order.down ? "↓" : "↑") : ""}</span>
  </button>`;
}

const sortOf = (order, name) => (order?.name === name ? (order.down ? "descending" : "ascending") : undefined);

/**
 * @param {object} props
 * @param {string} props.caption
 * @param {Column<any>[]} props.columns
 * @param {any[]} props.rows
 * @param {(row: any) => string} props.keyOf
 * @param {(row: any) => boolean} [props.isSelected]
 * @param {boolean} [props.busy]
 * @param {"wide" | "compact"} [props.kind] wide: many columns; compact: few and short columns
 * @param {{name: string, down: boolean}} [props.order] where columns with a `value` can be sorted by
 */
export const Table = ({ caption, columns, rows, keyOf, isSelected, busy = false, order, kind = "" }) =>
  html`<div class=${`table-box ${kind}`}><table class=${order ? "table sortable" : "table"} aria-busy=${busy ? "true" : undefined}>
    <caption class="visually-hidden">${caption}</caption>
    <thead>
      <tr>
        ${columns.map(
          ({ name, text, numeric, quiet, value }) =>
            html`<th key=${name} scope="col" class=${numeric ? "numeric" : undefined} aria-sort=${sortOf(order, name)}>
              ${quiet
                ? html`<span class="visually-hidden">${text}</span>`
                : order && value
                  ? html`<${Sorter} ...${{ name, text, numeric, order }} />`
                  : text}
            </th>`,
        )}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) => html`<tr key=${keyOf(row)} data-row=${keyOf(row)} class=${isSelected?.(row) ? "selected" : undefined}>
          ${columns.map(({ name, text, cell, numeric, heads, quiet }) => {
            const label = quiet ? undefined : text;
            const kind = numeric ? "numeric" : undefined;
            return heads
              ? html`<th key=${name} scope="row" class=${kind} data-label=${label}>${cell(row)}</th>`
              : html`<td key=${name} class=${kind} data-label=${label}>${cell(row)}</td>`;
          })}
        </tr>`,
      )}
    </tbody>
  </table></div>`;
