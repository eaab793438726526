/**
 * Pages of a list by cursors, which only lead forward: those of the pages before are in the URL too,
 * so that Back, a reload and a copied address lead to the same page.
 */

import { html } from "../core/html.js";
import { href, useRoute } from "../core/router.js";
import { t } from "../core/text.js";

const SEPARATOR = "~";

/** The cursor of the present page, and those of the pages between the first one and it. */
export function placeOf(query) {
  const before = query.before ? query.before.split(SEPARATOR) : [];
  return { cursor: query.after ?? null, before };
}

/** @param {{nextCursor: string | null, label: string}} props */
export function Pager({ nextCursor, label }) {
  const { page, args, query } = useRoute();
  const { cursor, before } = placeOf(query);
  if (cursor === null && nextCursor === null) return null;
  const to = (after, trail) =>
    href(page, { args, query: { ...query, after, before: trail.length > 0 ? trail.join(SEPARATOR) : null } });
  const number = cursor === null ? 1 : before.length + 2; // the first page has no cursor
  return html`<nav class="pager row" aria-label=${label}>
    <span>${t("frame.page_number", { number })}</span>
    ${cursor === null
      ? html`<a class="button" role="link" aria-disabled="true" tabindex="0">${t("frame.page_before")}</a>`
      : html`<a class="button" href=${to(before.at(-1) ?? null, before.slice(0, -1))}>${t("frame.page_before")}</a>`}
    ${nextCursor === null
      ? html`<a class="button" role="link" aria-disabled="true" tabindex="0">${t("frame.page_next")}</a>`
      : html`<a class="button" href=${to(nextCursor, cursor === null ? [] : [...before, cursor])}>${t("frame.page_next")}</a>`}
  </nav>`;
}

const places = new Map(); // address of a list -> {y, row}

/** Remember how far a list was scrolled, and which row was opened, under its address. */
export const keepPlace = (row = null) => places.set(location.hash, { y: scrollY, row });

/** Scroll to where the list was left, with the focus on the row that was opened; once it is there. */
export function backToPlace() {
  const place = places.get(location.hash);
  places.delete(location.hash);
  if (place === undefined) return false;
  if (place.row !== null) {
    document.querySelector(`[data-row="${CSS.escape(place.row)}"] a`)?.focus({ preventScroll: true });
  }
  scrollTo({ top: place.y, behavior: "instant" });
  return true;
}
