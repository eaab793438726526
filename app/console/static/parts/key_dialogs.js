/** Dialogs that make, show, rotate and revoke API keys. */

import { html, useState } from "../core/html.js";
import { note } from "../core/history.js";
import { t } from "../core/text.js";
import { CopyButton } from "./copy_button.js";
import { Dialog } from "./dialog.js";
import { errorOf, Field } from "./field.js";
import { Notice } from "./notice.js";
import { RequestForm } from "./request_form.js";

const ROLES = ["viewer", "operator", "enroller", "officer", "integrator", "admin", "custom"];
const RIGHTS = ["read", "identify", "enroll", "correct", "templates", "audit", "admin"];
const A_DAY_S = 86_400;

const names = (text) => text.split(/[\s,]+/).filter(Boolean);

/** @param {{onClose: () => void, onDone: (issued: {key: any, text: string}) => void}} props */
export function CreateKey({ onClose, onDone }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("operator");
  const [rights, setRights] = useState([]);
  const [collections, setCollections] = useState("");
  const [until, setUntil] = useState("");
  const [rate, setRate] = useState("");
  const [aws, setAws] = useState(false);
  const json = () => ({
    name: name.trim(),
    role,
    ...(role === "custom" && { rights }),
    ...(names(collections).length > 0 && { collections: names(collections) }),
    ...(until && { expires_at: new Date(`${until}T00:00:00`).toISOString() }),
    ...(rate && { requests_per_min: Number(rate) }),
    ...(aws && { aws }),
  });
  const toggle = (right) => setRights((present) => (present.includes(right) ? present.filter((one) => one !== right) : [...present, right]));
  return html`<${RequestForm}
    title=${t("keys.create")}
    submit=${t("keys.create_send")}
    call=${() => ({ method: "POST", path: "keys", json: json() })}
    ...${{ onClose, onDone }}
  >
    ${(problem) => html`<${Field} label=${t("keys.name")} hint=${t("keys.name_hint")} error=${errorOf(problem, "name")}>
        <input data-first-focus required maxlength="256" autocomplete="off" value=${name} onInput=${(event) => setName(event.target.value)} />
      <//>
      <${Field} label=${t("keys.role")} hint=${t(`keys.role_${role}_hint`)} error=${errorOf(problem, "role")}>
        <select value=${role} onChange=${(event) => setRole(event.target.value)}>
          ${ROLES.map((one) => html`<option key=${one} value=${one}>${t(`keys.role_${one}`)}</option>`)}
        </select>
      <//>
      ${role === "custom" &&
      html`<fieldset>
        <legend>${t("keys.rights")}</legend>
        ${RIGHTS.map(
          (right) => html`<label key=${right} class="check">
            <input type="checkbox" checked=${rights.includes(right)} onChange=${() => toggle(right)} /> ${t(`frame.right_${right}`)}
          </label>`,
        )}
      </fieldset>`}
      <${Field} label=${t("keys.where")} hint=${t("keys.where_hint")} error=${errorOf(problem, "collections")}>
        <input autocomplete="off" value=${collections} onInput=${(event) => setCollections(event.target.value)} />
      <//>
      <${Field} label=${t("keys.expires")} hint=${t("keys.expires_hint")} error=${errorOf(problem, "expires_at")}>
        <input type="date" value=${until} onInput=${(event) => setUntil(event.target.value)} />
      <//>
      <${Field} label=${t("keys.rate")} hint=${t("keys.rate_hint")} error=${errorOf(problem, "requests_per_min")}>
        <input type="number" min="0" step="any" value=${rate} onInput=${(event) => setRate(event.target.value)} />
      <//>
      <label class="check"><input type="checkbox" checked=${aws} onChange=${() => setAws(!aws)} /> ${t("keys.aws")}</label>`}
  <//>`;
}

/** The text of a new key, and its pair, this once. @param {{of: any, text: string, aws: any, onClose: () => void}} props */
export function ShowKey({ of, text, aws, onClose }) {
  const pair = aws && `aws_access_key_id = ${aws.access_key_id}\naws_secret_access_key = ${aws.secret_access_key}`;
  const footer = html`<button type="button" class="primary" onClick=${onClose}>${t("frame.close")}</button>`;
  return html`<${Dialog} title=${t("keys.made", { name: of.name })} onClose=${onClose} footer=${footer}>
    <${Notice} kind="warning">${t("keys.shown_once")}<//>
    <p><code class="long">${text}</code></p>
    <p><${CopyButton} text=${text} label=${t("keys.copy")} /></p>
    ${pair &&
    html`<h3>${t("keys.pair")}</h3>
      ${pair.split("\n").map((line) => html`<p key=${line}><code class="long">${line}</code></p>`)}
      <p><${CopyButton} text=${pair} label=${t("keys.copy_pair")} /></p>`}
  <//>`;
}

/** @param {{of: any, onClose: () => void, onDone: (issued: {key: any, text: string}) => void}} props */
export function RotateKey({ of, onClose, onDone }) {
  const [hours, setHours] = useState("24");
  const call = () => ({ method: "POST", path: `keys/${of.id}:rotate`, json: { overlap_s: (Number(hours) * A_DAY_S) / 24 } });
  return html`<${RequestForm} title=${t("keys.rotate_name", { name: of.name })} submit=${t("keys.rotate_send")} ...${{ call, onClose, onDone }}>
    ${(problem) => html`<p>${t("keys.rotate_text")}</p>
      <${Field} label=${t("keys.overlap")} error=${errorOf(problem, "overlap_s")}>
        <input data-first-focus type="number" required min="0" max="8784" step="any" value=${hours} onInput=${(event) => setHours(event.target.value)} />
      <//>`}
  <//>`;
}

/** @param {{of: any, onClose: () => void, onDone: () => void}} props */
export function RevokeKey({ of, onClose, onDone }) {
  const done = () => {
    note(t("keys.revoked", { name: of.name }), { final: true });
    onDone();
  };
  return html`<${RequestForm}
    title=${t("keys.revoke_name", { name: of.name })}
    submit=${t("keys.revoke")}
    call=${() => ({ method: "DELETE", path: `keys/${of.id}` })}
    danger
    onDone=${done}
    onClose=${onClose}
  >
    ${() => html`<p>${t("keys.revoke_text")}</p>`}
  <//>`;
}
