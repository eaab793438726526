/** The form for the API key. A password manager may fill it in; pasting works. */

import { html, useState } from "../core/html.js";
import { keyDemand, setKey } from "../core/keys.js";
import { connect } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { Field } from "./field.js";
import { PageHead } from "./page_head.js";

export function KeyForm() {
  const { refused } = useStore(keyDemand);
  const [busy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    const key = new FormData(event.target).get("key").trim();
    if (!key) return;
    setKey(key);
    setBusy(true);
    await connect();
    setBusy(false);
  };
  return html`<form class="card narrow" onSubmit=${send}>
    <${PageHead} title=${t("frame.key_title")} lead=${t("frame.key_lead")} />
    <input type="text" name="username" autocomplete="username" value="vultus" hidden readonly />
    <${Field} label=${t("frame.key_label")} hint=${t("frame.key_hint")} error=${refused ? t("frame.key_refused") : null}>
      <input type="password" name="key" autocomplete="current-password" required autofocus />
    <//>
    <p><button class="primary" disabled=${busy}>${t("frame.key_send")}</button></p>
  </form>`;
}
