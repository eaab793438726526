/** The head of the page: collection, navigation, help and choices. */

import { entryOf, NAVIGATION } from "../core/pages.js";
import { html, useEffect, useState } from "../core/html.js";
import { href, useRoute } from "../core/router.js";
import { collection } from "../core/session.js";
import { useShortcuts } from "../core/shortcuts.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { Choices } from "./choices.js";
import { CollectionMenu } from "./collection_menu.js";
import { Help } from "./help.js";
import { undoAndSay } from "./toasts.js";

const KEYS = { i: "identify", p: "people", u: "unknowns", r: "review" };

export function Header() {
  const { page, collection: name } = useRoute();
  const present = useStore(collection);
  const [open, setOpen] = useState(false); // of the menu on narrow screens
  const [dialog, setDialog] = useState(null); // help, choices
  useEffect(() => setOpen(false), [page, name]);
  useShortcuts({
    "?": { label: t("frame.help"), run: () => setDialog("help") },
    z: { label: t("frame.undo"), run: () => undoAndSay() },
    ...Object.fromEntries(
      Object.entries(KEYS).map(([key, to]) => [
        key,
        { label: t(`frame.nav_${to}`), run: () => location.assign(href(to)) },
      ]),
    ),
  });
  return html`<header class="header">
    <a class="brand" href=${href("start")} aria-label="Vultus">
      <${Mark} /><span class="brand-name">Vultus</span>
    </a>
    <${CollectionMenu} name=${name} />
    <button
      type="button"
      class="menu-button"
      aria-expanded=${open ? "true" : "false"}
      aria-controls="navigation"
      onClick=${() => setOpen(!open)}
    >
      ${t("frame.menu")}
    </button>
    <nav id="navigation" class=${open ? "navigation open" : "navigation"} aria-label=${t("frame.navigation")}>
      ${NAVIGATION.map(
        (entry) => html`<a href=${href(entry)} aria-current=${entryOf(page) === entry ? "page" : undefined}>
          ${t(`frame.nav_${entry}`)}
          ${entry === "unknowns" && present?.unknown_count > 0 && html`<${Badge} count=${present.unknown_count} />`}
        </a>`,
      )}
    </nav>
    <div class="header-end">
      <button type="button" class="icon" aria-label=${t("frame.help")} onClick=${() => setDialog("help")}>?</button>
      <button type="button" class="icon" aria-label=${t("frame.choices")} onClick=${() => setDialog("choices")}>
        <${Gear} />
      </button>
    </div>
  </header>
    ${dialog === "help" && html`<${Help} onClose=${() => setDialog(null)} />`}
    ${dialog === "choices" && html`<${Choices} onClose=${() => setDialog(null)} />`}`;
}

const Badge = ({ count }) =>
  html`<span class="badge" aria-label=${t("frame.unknown_groups", { count })}>${count > 99 ? "99+" : count}</span>`;

const Mark = () =>
  html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3" />
    <circle cx="12" cy="10.2" r="3.2" /><path d="M6.8 18c.8-2.4 2.8-3.6 5.2-3.6s4.4 1.2 5.2 3.6" />
  </svg>`;

const Gear = () =>
  html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M4 7h9M19 7h1M4 17h1M11 17h9" /><circle cx="16" cy="7" r="2.6" /><circle cx="8" cy="17" r="2.6" />
  </svg>`;
