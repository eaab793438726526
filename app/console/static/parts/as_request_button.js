/** "As a request": what the page sends, as a command to take along. */

import { html, useState } from "../core/html.js";
import { t } from "../core/text.js";
import { CopyButton } from "./copy_button.js";
import { Dialog } from "./dialog.js";

/** @param {{call: Call | (() => Call | Promise<Call>)}} props @typedef {import("../core/api.js").Call} Call */
export function AsRequestButton({ call }) {
  const [shown, setShown] = useState(null);
  const open = async () => {
    const { asCurl, asPython } = await import("../core/as_request.js"); // few are asked for
    const present = typeof call === "function" ? await call() : call;
    setShown({ curl: asCurl(present), python: asPython(present) });
  };
  return html`<button type="button" class="quiet small" onClick=${open}>${t("frame.as_request")}</button>
    ${shown &&
    html`<${Dialog} wide title=${t("frame.as_request")} onClose=${() => setShown(null)}>
      <p>${t("frame.as_request_key")}</p>
      <${Command} name="curl" text=${shown.curl} />
      <${Command} name="Python" text=${shown.python} />
    <//>`}`;
}

function Command({ name, text }) {
  return html`<section class="command">
    <header class="row">
      <h3>${name}</h3>
      <${CopyButton} text=${text} label=${t("frame.copy")} />
    </header>
    <pre tabindex="0" aria-label=${name}><code>${text}</code></pre>
  </section>`;
}
