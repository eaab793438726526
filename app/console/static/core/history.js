/** What was done in this tab: toasts that may be undone, and the list of them. */

import { createStore } from "./store.js";

const UNDO_MS = 8000;
const SHOWN_MS = 6000;
const KEPT = 200;
let next = 1;

/** Newest first: {id, text, kind, at, undo, undone, until}. */
export const actions = createStore([]);

/** Those shown as toasts. */
export const toasts = createStore([]);

/**
 * Say that something was done.
 * @param {string} text
 * @param {{kind?: "done" | "failed" | "note", undo?: () => unknown, final?: string}} [options]
 *   undo: may return the sentence that says what came of it
 *   final: why it cannot be undone. The key for undo says this, and reaches no action before it
 * @returns {number} its id
 */
export function note(text, { kind = "done", undo, final } = {}) {
  const id = next++;
  const until = Date.now() + (undo ? UNDO_MS : SHOWN_MS);
  const action = { id, text, kind, at: new Date(), undo, final, undone: false, until };
  actions.set((all) => [action, ...all].slice(0, KEPT));
  toasts.set((shown) => [...shown, action].slice(-3));
  return id;
}

/** Take a toast away. The action stays in the list, and can be undone there. */
export const dismissToast = (id) => toasts.set((shown) => shown.filter((one) => one.id !== id));

/**
 * Undo an action, or the latest that can be undone. Raises what its undo raises.
 * @returns {Promise<string | boolean>} false where there was none; else what came of it, or true
 */
export async function undo(id) {
  const canBeAsked = (one) => (one.undo && !one.undone) || one.final;
  const action = actions.get().find((one) => canBeAsked(one) && (id === undefined || one.id === id));
  if (action === undefined) return false;
  if (action.final) return action.final;
  change(action.id, { undone: true }); // before it is sent: nothing is undone twice
  dismissToast(action.id);
  try {
    return (await action.undo()) || true;
  } catch (error) {
    change(action.id, { undone: false });
    throw error;
  }
}

/** An action can no longer be undone, as it was sent. */
export function settle(id) {
  change(id, { undo: undefined });
  dismissToast(id);
}

function change(id, changes) {
  actions.set((all) => all.map((one) => (one.id === id ? { ...one, ...changes } : one)));
}

/** Receipts of erasures in this tab, newest first: {receipt, at, who}. */
export const receipts = createStore([]);

export const keepReceipt = (receipt) =>
  receipts.set((all) => [{ receipt, at: new Date() }, ...all]);
