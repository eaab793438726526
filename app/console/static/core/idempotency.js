/** Keys of requests that may be sent again: the first one counts (`Idempotency-Key`). */

/** A new key. `crypto.randomUUID` is there on https and localhost only. */
export const newKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
