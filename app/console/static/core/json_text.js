/** Attributes as people write them: JSON, with an error that says what is wrong with it. */

import { t } from "./text.js";

const MOST_BYTES = 16 * 1024;

/** Whether a browser holds all numbers of a value as they were written. */
export function isExact(value) {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (value === null || typeof value !== "object") return true;
  return Object.values(value).every(isExact);
}

/** Attributes as text to edit. */
export const asText = (attributes) =>
  Object.keys(attributes).length === 0 ? "" : JSON.stringify(attributes, null, 2);

/**
 * Read attributes: {value} or {error}, a sentence. Nothing written is no attributes.
 * @param {string} text
 */
export function readAttributes(text) {
  if (text.trim() === "") return { value: {}, error: null };
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { value: null, error: t("people_parts.not_json", { detail: error.message }) };
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return { value: null, error: t("people_parts.no_object") };
  }
  if (!isExact(value)) return { value: null, error: t("people_parts.long_number") };
  if (new TextEncoder().encode(JSON.stringify(value)).length > MOST_BYTES) {
    return { value: null, error: t("people_parts.too_long") };
  }
  return { value, error: null };
}

/** A single value: what is JSON is taken as such, all else as a text. Quotes make a text of 3. */
export function readValue(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
