/** Fields of forms: label, control, hint, and the error beside it. */

import { cloneElement } from "../vendor/preact.js";
import { html, useId } from "../core/html.js";

/**
 * A control with its label. The one child is the control.
 * @param {{label: string, hint?: unknown, error?: string | null, children: any}} props
 */
export function Field({ label, hint, error, children }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${cloneElement(children, {
      id,
      "aria-describedby": described || undefined,
      "aria-invalid": error ? "true" : undefined,
    })}
    ${hint && html`<small id=${`${id}-hint`}>${hint}</small>`}
    ${error && html`<small id=${`${id}-error`} class="error">${error}</small>`}
  </div>`;
}

/** The error of a field, as a problem of the service names it; null if it names none. */
export const errorOf = (problem, name) =>
  problem?.errors?.find(({ field }) => field === name || field.endsWith(`.${name}`))?.message ?? null;
