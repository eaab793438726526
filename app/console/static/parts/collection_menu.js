/** The present collection, and the others, which are read when the menu is opened. */

import { ask } from "../core/api.js";
import { html, useEffect, useId, useRef, useState } from "../core/html.js";
import { entryOf } from "../core/pages.js";
import { href, useRoute } from "../core/router.js";
import { t } from "../core/text.js";
import { sentenceOf } from "./notice.js";

const MOST = 200;

export function CollectionMenu({ name }) {
  const { page } = useRoute();
  const id = useId();
  const menu = useRef(null);
  const [names, setNames] = useState(null);
  const [sentence, setSentence] = useState(null);
  useEffect(() => {
    const element = menu.current;
    const onToggle = async ({ newState }) => {
      if (newState !== "open") return;
      try {
        const { collections } = await ask({ path: "collections", query: { limit: MOST } });
        setNames(collections.map((one) => one.name));
        setSentence(null);
      } catch (problem) {
        setSentence(sentenceOf(problem));
      }
    };
    element.addEventListener("toggle", onToggle);
    return () => element.removeEventListener("toggle", onToggle);
  }, []);
  const target = entryOf(page) ?? "start"; // a person of one collection is not in another
  return html`<div class="collection-menu">
    <button type="button" popovertarget=${id} aria-label=${t("frame.collection_is", { name })}>
      <bdi>${name}</bdi> <span aria-hidden="true">▾</span>
    </button>
    <div id=${id} ref=${menu} popover class="popover">
      <p>${t("frame.collections")}</p>
      ${sentence && html`<p class="error">${sentence}</p>`}
      <ul>
        ${(names ?? [name]).map(
          (one) => html`<li key=${one}>
            <a
              href=${href(target, { collection: one })}
              aria-current=${one === name ? "true" : undefined}
              onClick=${() => menu.current.hidePopover()}
              ><bdi>${one}</bdi></a
            >
          </li>`,
        )}
      </ul>
      <p><a href=${href("system")} onClick=${() => menu.current.hidePopover()}>${t("frame.collections_manage")}</a></p>
    </div>
  </div>`;
}
