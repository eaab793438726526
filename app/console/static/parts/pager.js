/**
 * Pages of a list by cursors, which only lead forward: those of the pages before are in the URL too,
 * so that Back, a reload and a copied address lead to the same page.
 */

import { html } from "../core/html.js";
import { href, useRoute } from "../core/router.js";
import { t } from "../core/text.js";

const SEPARATOR = "~";

/** The cursor of the present page, and those of the pages before it. */
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
  const number = cursor === null ? 1 : before.length + 1;
  return html`<nav class="pager row" aria-label=${label}>
    <span>${t("frame.page_number", { number })}</span>
    ${cursor === null
      ? html`<a class="button" role="link" aria-disabled="true">${t("frame.page_before")}</a>`
      : html`<a class="button" href=${to(before.at(-1) || null, before.slice(0, -1))}>${t("frame.page_before")}</a>`}
    ${nextCursor === null
      ? html`<a class="button" role="link" aria-disabled="true">${t("frame.page_next")}</a>`
      : html`<a class="button" href=${to(nextCursor, [...before, cursor ?? ""])}>${t("frame.page_next")}</a>`}
  </nav>`;
}

const scrolls = new Map();

/** Remember how far a list was scrolled, under its address. */
export const keepPlace = () => scrolls.set(location.hash, scrollY);

/** Scroll to where the list was left; once its rows are there. */
export function backToPlace() {
  const y = scrolls.get(location.hash);
  scrolls.delete(location.hash);
  if (y !== undefined) scrollTo({ top: y, behavior: "instant" });
  return y !== undefined;
}
