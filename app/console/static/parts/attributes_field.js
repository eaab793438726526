/** Attributes of a person as JSON, checked while it is typed. */

import { html } from "../core/html.js";
import { readAttributes } from "../core/json_text.js";
import { loadTexts, t } from "../core/text.js";
import { Field } from "./field.js";

await loadTexts("people_parts");

/** @param {{value: string, onInput: (text: string) => void, error?: string | null}} props */
export const AttributesField = ({ value, onInput, error }) =>
  html`<${Field}
    label=${t("people_parts.attributes")}
    hint=${t("people_parts.attributes_hint")}
    error=${readAttributes(value).error ?? error}
  >
    <textarea
      rows=${Math.min(12, Math.max(3, value.split("\n").length + 1))}
      spellcheck="false"
      autocapitalize="off"
      value=${value}
      onInput=${(event) => onInput(event.target.value)}
    ></textarea>
  <//>`;
