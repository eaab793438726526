/** Help: the keys that do something now, and where to read more. */

import { html, useEffect, useState } from "../core/html.js";
import { prefs } from "../core/prefs.js";
import { presentShortcuts } from "../core/shortcuts.js";
import { t } from "../core/text.js";
import { Dialog } from "./dialog.js";

export function Help({ onClose }) {
  const [keys, setKeys] = useState([]);
  useEffect(() => setKeys(presentShortcuts()), []);
  return html`<${Dialog} title=${t("frame.help")} onClose=${onClose}>
    <p>${t("frame.help_text")}</p>
    <p><a href="../docs" target="_blank" rel="noopener">${t("frame.api_documentation")}</a></p>
    <h3>${t("frame.shortcuts")}</h3>
    ${prefs.get().shortcuts
      ? html`<dl class="keys">
          ${keys.map(
            ([key, label]) => html`<div key=${key}>
              <dt><kbd>${key === " " ? t("frame.space") : key.toUpperCase()}</kbd></dt>
              <dd>${label}</dd>
            </div>`,
          )}
        </dl>`
      : html`<p>${t("frame.shortcuts_are_off")}</p>`}
  <//>`;
}
