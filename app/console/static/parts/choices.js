/** Choices of the person at this browser, the key, and what was done in this tab. */

import { actions } from "../core/history.js";
import { dayAndTime } from "../core/format.js";
import { html } from "../core/html.js";
import { forgetKey, presentKey } from "../core/keys.js";
import { prefs, setPrefs } from "../core/prefs.js";
import { useStore } from "../core/store.js";
import { LANGUAGES, t } from "../core/text.js";
import { Dialog } from "./dialog.js";
import { Field } from "./field.js";
import { undoAndSay } from "./toasts.js";

export function Choices({ onClose }) {
  const chosen = useStore(prefs);
  const done = useStore(actions);
  const set = (name) => (event) => setPrefs({ [name]: event.target.value });
  const turn = (name) => (event) => setPrefs({ [name]: event.target.checked });
  return html`<${Dialog} title=${t("frame.choices")} onClose=${onClose}>
    <div class="form-grid">
      <${Field} label=${t("frame.theme")}>
        <select value=${chosen.theme} onChange=${set("theme")}>
          ${["system", "light", "dark"].map((theme) => html`<option value=${theme}>${t(`frame.theme_${theme}`)}</option>`)}
        </select>
      <//>
      <${Field} label=${t("frame.language")}>
        <select value=${chosen.language} onChange=${set("language")}>
          <option value="system">${t("frame.language_system")}</option>
          ${Object.entries(LANGUAGES).map(([tag, name]) => html`<option value=${tag} lang=${tag}>${name}</option>`)}
        </select>
      <//>
    </div>
    <label class="check">
      <input type="checkbox" checked=${chosen.shortcuts} onChange=${turn("shortcuts")} /> ${t("frame.shortcuts_on")}
    </label>
    <label class="check">
      <input type="checkbox" checked=${chosen.thumbnails} onChange=${turn("thumbnails")} /> ${t("frame.thumbnails_on")}
    </label>
    ${presentKey() !== null &&
    html`<p class="row">
      <span>${t("frame.key_present")}</span>
      <button
        type="button"
        onClick=${() => {
          onClose();
          forgetKey();
        }}
      >
        ${t("frame.key_forget")}
      </button>
    </p>`}
    <h3>${t("frame.history")}</h3>
    ${done.length === 0
      ? html`<p class="muted">${t("frame.history_empty")}</p>`
      : html`<ul class="history">
          ${done.map(
            (action) => html`<li key=${action.id}>
              <span>${action.text}</span> <time class="muted">${dayAndTime(action.at)}</time>
              ${action.undo &&
              (action.undone
                ? html`<em>${t("frame.undone")}</em>`
                : html`<button type="button" class="small" onClick=${() => undoAndSay(action.id)}>${t("frame.undo")}</button>`)}
            </li>`,
          )}
        </ul>`}
  <//>`;
}
