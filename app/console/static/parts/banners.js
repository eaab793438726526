/** Bars above the page: what concerns all of it. */

import { waiting } from "../core/api.js";
import { html, useEffect, useState } from "../core/html.js";
import { presentKey } from "../core/keys.js";
import { info, me, otherVersion, trouble } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { sentenceOf } from "./notice.js";

export function Banners() {
  const wrong = useStore(trouble);
  const version = useStore(otherVersion);
  return html`<div class="banners">
    ${wrong &&
    html`<div class="banner danger" role="alert">${wrong.isOffline ? t("frame.offline") : sentenceOf(wrong)} ${t("frame.trying_again")}</div>`}
    ${version &&
    html`<div class="banner" role="status">
      ${t("frame.other_version", { version })}
      <button type="button" class="small" onClick=${() => location.reload()}>${t("frame.reload")}</button>
    </div>`}
    <${Patience} /> <${OpenToTheNetwork} />
  </div>`;
}

/** The service is busy: until when the page waits. */
function Patience() {
  const { count, until } = useStore(waiting);
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (count === 0) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [count > 0]);
  if (count === 0) return null;
  const seconds = Math.max(1, Math.ceil((until - now) / 1000));
  return html`<div class="banner" role="status">${t("frame.busy_waiting", { seconds })}</div>`;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A service that anyone on the network may use: said where the page is not on its machine. */
function OpenToTheNetwork() {
  const known = useStore(info);
  const caller = useStore(me);
  const [dismissed, setDismissed] = useState(false);
  if (known === null || LOOPBACK.has(location.hostname) || dismissed) return null;
  // It answered without a key, or says itself that it asks for none.
  if (presentKey() !== null && caller?.authentication !== "none") return null;
  return html`<div class="banner warning" role="status">
    ${t("frame.open_to_the_network")}
    <button type="button" class="icon" aria-label=${t("frame.close")} onClick=${() => setDismissed(true)}>✕</button>
  </div>`;
}
