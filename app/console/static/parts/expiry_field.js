/** When a person leaves: a moment of this computer's time, or never. */

import { html } from "../core/html.js";
import { loadTexts, t } from "../core/text.js";
import { Field } from "./field.js";

await loadTexts("people_parts");

const DAYS = [30, 90, 365];
const DAY_MS = 24 * 3600 * 1000;
const two = (number) => String(number).padStart(2, "0");

/** A moment as the field holds it, in local time; empty for never. @param {string | Date | null} moment */
export function asLocal(moment) {
  if (moment == null) return "";
  const at = new Date(moment);
  const day = `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The moment of the field's text, as it is sent; null for never. */
export const fromLocal = (text) => (text === "" ? null : new Date(text).toISOString());

/** @param {{value: string, onInput: (text: string) => void, error?: string | null, label?: string}} props */
export const ExpiryField = ({ value, onInput, error, label }) =>
  html`<div class="expiry">
    <${Field} label=${label ?? t("people_parts.leaves")} hint=${t("people_parts.leaves_hint")} error=${error}>
      <input type="datetime-local" min=${asLocal(new Date())} value=${value} onInput=${(event) => onInput(event.target.value)} />
    <//>
    <p class="row">
      <button type="button" class="small" onClick=${() => onInput("")}>${t("people_parts.never")}</button>
      ${DAYS.map(
        (days) => html`<button type="button" class="small" onClick=${() => onInput(asLocal(new Date(Date.now() + days * DAY_MS)))}>
          ${t("people_parts.in_days", { count: days })}
        </button>`,
      )}
    </p>
  </div>`;
