/** A button that copies a text. */

import { html, useState } from "../core/html.js";
import { announce } from "../core/live.js";
import { t } from "../core/text.js";

const SHOWN_MS = 1500;

/** Copy a text. The clipboard is there on https and localhost only; elsewhere a field is used. */
export async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

/** @param {{text: string, label: string}} props */
export function CopyButton({ text, label }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    announce(t("frame.copied"));
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return html`<button type="button" class="small" onClick=${copy}>${copied ? t("frame.copied") : label}</button>`;
}
