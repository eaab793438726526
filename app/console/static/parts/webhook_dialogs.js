/** Dialogs that make, rotate, replay and delete webhooks. */

import { ask } from "../core/api.js";
import { note } from "../core/history.js";
import { html, useState } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { t } from "../core/text.js";
import { CopyButton } from "./copy_button.js";
import { Dialog } from "./dialog.js";
import { errorOf, Field } from "./field.js";
import { Notice, ProblemNotice } from "./notice.js";
import { RequestForm } from "./request_form.js";

const AN_HOUR_S = 3_600;
const DEAD_LETTERS = 100;

const names = (text) => text.split(/[\s,]+/).filter(Boolean);

/** @param {{onClose: () => void, onDone: (issued: {webhook: any, secret: string}) => void}} props */
export function CreateWebhook({ onClose, onDone }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("https://");
  const [types, setTypes] = useState("");
  const [collections, setCollections] = useState("");
  const [withNames, setWithNames] = useState(false);
  const json = () => ({
    name: name.trim(),
    url: url.trim(),
    ...(names(types).length > 0 && { types: names(types) }),
    ...(names(collections).length > 0 && { collections: names(collections) }),
    ...(withNames && { with_names: true }),
  });
  const call = () => ({ method: "POST", path: "webhooks", json: json() });
  const text = (value, set, more = {}) =>
    html`<input autocomplete="off" value=${value} ...${more} onInput=${(event) => set(event.target.value)} />`;
  return html`<${RequestForm} title=${t("webhooks.create")} submit=${t("webhooks.create_send")} ...${{ call, onClose, onDone }}>
    ${(problem) => html`<${Field} label=${t("webhooks.name")} hint=${t("webhooks.name_hint")} error=${errorOf(problem, "name")}>
        ${text(name, setName, { "data-first-focus": true, required: true, maxlength: 256 })}
      <//>
      <${Field} label=${t("webhooks.url")} hint=${t("webhooks.url_hint")} error=${errorOf(problem, "url")}>
        ${text(url, setUrl, { type: "url", required: true, maxlength: 2048 })}
      <//>
      <${Field} label=${t("webhooks.types")} hint=${t("webhooks.types_hint")} error=${errorOf(problem, "types")}>
        ${text(types, setTypes)}
      <//>
      <${Field} label=${t("webhooks.collections")} hint=${t("webhooks.collections_hint")} error=${errorOf(problem, "collections")}>
        ${text(collections, setCollections)}
      <//>
      <label class="check">
        <input type="checkbox" checked=${withNames} onChange=${(event) => setWithNames(event.target.checked)} /> ${t("webhooks.with_names")}
      </label>`}
  <//>`;
}

/** The secret of a webhook, this once. @param {{of: any, secret: string, onClose: () => void}} props */
export function ShowSecret({ of, secret, onClose }) {
  const footer = html`<button type="button" class="primary" onClick=${onClose}>${t("frame.close")}</button>`;
  return html`<${Dialog} title=${t("webhooks.made", { name: of.name })} onClose=${onClose} footer=${footer}>
    <${Notice} kind="warning">${t("webhooks.shown_once")}<//>
    <p><code class="long">${secret}</code></p>
    <p><${CopyButton} text=${secret} label=${t("webhooks.copy")} /></p>
  <//>`;
}

/** @param {{of: any, onClose: () => void, onDone: (issued: {webhook: any, secret: string}) => void}} props */
export function RotateWebhook({ of, onClose, onDone }) {
  const [hours, setHours] = useState("24");
  const call = () => ({ method: "POST", path: `webhooks/${of.id}:rotate`, json: { overlap_s: Number(hours) * AN_HOUR_S } });
  const title = t("webhooks.of", { what: t("webhooks.rotate"), name: of.name });
  return html`<${RequestForm} title=${title} submit=${t("webhooks.rotate_send")} ...${{ call, onClose, onDone }}>
    ${(problem) => html`<p>${t("webhooks.rotate_text")}</p>
      <${Field} label=${t("webhooks.overlap")} error=${errorOf(problem, "overlap_s")}>
        <input data-first-focus type="number" required min="0" max="8784" step="any" value=${hours} onInput=${(event) => setHours(event.target.value)} />
      <//>`}
  <//>`;
}

/** All events above a position, or one that was given up. @param {{of: any, onClose: () => void, onDone: () => void}} props */
export function ReplayWebhook({ of, onClose, onDone }) {
  const query = { limit: DEAD_LETTERS };
  const dead = useLoaded((signal) => ask({ path: `webhooks/${of.id}/dead_letters`, query, signal }), [of.id]);
  const [what, setWhat] = useState("after"); // or the position of a dead letter
  const [after, setAfter] = useState(String(of.position));
  const json = () => (what === "after" ? { after: Number(after) } : { dead_letter: Number(what) });
  const call = () => ({ method: "POST", path: `webhooks/${of.id}:replay`, json: json() });
  const title = t("webhooks.of", { what: t("webhooks.replay"), name: of.name });
  const choose = (event) => setWhat(event.target.value);
  return html`<${RequestForm} title=${title} submit=${t("webhooks.replay")} ...${{ call, onClose, onDone }}>
    ${(problem) => html`<p>${t("webhooks.replay_text")}</p>
      <${Field} label=${t("webhooks.replay_what")} error=${errorOf(problem, "dead_letter")}>
        <select data-first-focus value=${what} onChange=${choose}>
          <option value="after">${t("webhooks.replay_after")}</option>
          ${(dead.data?.dead_letters ?? []).map(
            ({ position, type, error }) =>
              html`<option key=${position} value=${String(position)}>${t("webhooks.dead_letter", { position, type, error })}</option>`,
          )}
        </select>
      <//>
      ${what === "after" &&
      html`<${Field} label=${t("webhooks.after")} hint=${t("webhooks.after_hint")} error=${errorOf(problem, "after")}>
        <input type="number" required min="0" step="1" value=${after} onInput=${(event) => setAfter(event.target.value)} />
      <//>`}
      <${ProblemNotice} problem=${dead.problem} onRetry=${dead.reload} />`}
  <//>`;
}

/** @param {{of: any, onClose: () => void, onDone: () => void}} props */
export function DeleteWebhook({ of, onClose, onDone }) {
  const done = () => {
    note(t("webhooks.deleted", { name: of.name }));
    onDone();
  };
  return html`<${RequestForm}
    title=${t("webhooks.of", { what: t("webhooks.delete"), name: of.name })}
    submit=${t("webhooks.delete")}
    call=${() => ({ method: "DELETE", path: `webhooks/${of.id}` })}
    danger
    onDone=${done}
    onClose=${onClose}
  >
    ${() => html`<p>${t("webhooks.delete_text")}</p>`}
  <//>`;
}
