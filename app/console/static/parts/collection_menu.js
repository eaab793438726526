/**
 * The present collection, and the others, which are read when the menu is opened: as many as fit, and
 * a field that finds the rest by the beginning of their names.
 */

import { ask } from "../core/api.js";
import { html, useEffect, useId, useRef, useState } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { entryOf } from "../core/pages.js";
import { go, href, useRoute } from "../core/router.js";
import { t } from "../core/text.js";
import { sentenceOf } from "./notice.js";

const MOST = 50;
const MANY = 8; // from so many on, one is found rather than looked for

export function CollectionMenu({ name }) {
  const id = useId();
  const menu = useRef(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const element = menu.current;
    const onToggle = ({ newState }) => setOpen(newState === "open");
    element.addEventListener("toggle", onToggle);
    return () => element.removeEventListener("toggle", onToggle);
  }, []);
  const close = () => menu.current.hidePopover();
  return html`<div class="collection-menu">
    <button type="button" popovertarget=${id} aria-label=${t("frame.collection_is", { name })}>
      <bdi>${name}</bdi> <span aria-hidden="true">▾</span>
    </button>
    <div id=${id} ref=${menu} popover class="popover">
      <p class="row spread">
        <strong>${t("frame.collections")}</strong>
        <a href=${href("system", { query: { tab: "collections" } })} onClick=${close}>${t("frame.collections_manage")}</a>
      </p>
      ${open && html`<${Others} name=${name} close=${close} />`}
    </div>
  </div>`;
}

function Others({ name, close }) {
  const { page } = useRoute();
  const [start, setStart] = useState("");
  const many = useRef(false);
  const { data, problem, busy } = useLoaded(
    (signal) => ask({ path: "collections", query: { q: start.trim(), limit: MOST }, signal }),
    [start.trim()],
  );
  const names = data?.collections.map((one) => one.name) ?? [name];
  const more = data?.next_cursor != null;
  many.current ||= more || names.length >= MANY;
  const target = entryOf(page) ?? "start"; // a person of one collection is not in another
  const find = (event) => {
    event.preventDefault();
    if (busy || names.length === 0 || start.trim() === "") return;
    go(href(target, { collection: names[0] }));
    close();
  };
  return html`${problem && html`<p class="error">${sentenceOf(problem)}</p>`}
    ${many.current &&
    html`<form role="search" onSubmit=${find}>
      <input
        type="search"
        aria-label=${t("frame.collection_find")}
        placeholder=${t("frame.collection_find")}
        maxlength="255"
        autocomplete="off"
        value=${start}
        onInput=${(event) => setStart(event.target.value)}
      />
    </form>`}
    <ul aria-busy=${busy ? "true" : undefined}>
      ${names.map(
        (one) => html`<li key=${one}>
          <a href=${href(target, { collection: one })} aria-current=${one === name ? "true" : undefined} onClick=${close}
            ><bdi>${one}</bdi></a
          >
        </li>`,
      )}
    </ul>
    ${names.length === 0 && html`<p>${t("frame.collection_none", { start: start.trim() })}</p>`}
    ${more && html`<p class="muted">${t("frame.collection_more", { count: MOST })}</p>`}`;
}
