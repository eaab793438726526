/** Tables, with captions and scopes; on narrow screens each row is a card. */

import { html } from "../core/html.js";

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} name
 * @property {string} text the head
 * @property {(row: Row) => unknown} cell
 * @property {boolean} [numeric]
 * @property {boolean} [heads] whether it names the row
 * @property {boolean} [quiet] whether its head is read out, but not seen
 */

/**
 * @param {object} props
 * @param {string} props.caption
 * @param {Column<any>[]} props.columns
 * @param {any[]} props.rows
 * @param {(row: any) => string} props.keyOf
 * @param {(row: any) => boolean} [props.isSelected]
 * @param {boolean} [props.busy]
 */
export const Table = ({ caption, columns, rows, keyOf, isSelected, busy = false }) =>
  html`<table class="table" aria-busy=${busy ? "true" : undefined}>
    <caption class="visually-hidden">${caption}</caption>
    <thead>
      <tr>
        ${columns.map(
          ({ name, text, numeric, quiet }) =>
            html`<th key=${name} scope="col" class=${numeric ? "numeric" : undefined}>
              ${quiet ? html`<span class="visually-hidden">${text}</span>` : text}
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
  </table>`;
