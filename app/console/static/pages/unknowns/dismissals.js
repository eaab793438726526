/**
 * Dismissals wait, as they cannot be undone once they are sent. A page of this tab may be left
 * meanwhile; when the tab is closed, they are sent at once. If that fails, the groups are still there.
 */

import { ask } from "../../core/api.js";
import { note, settle, toasts } from "../../core/history.js";
import { createStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { sentenceOf } from "../../parts/notice.js";
import { dismissCall, inboxChanged, shortId } from "./actions.js";

const WAIT_MS = 8000;
const waits = new Map(); // group id -> {collection, timer, noteId}

/** Groups that are on their way out: {id, collection, until}. They are not in lists. */
export const leaving = createStore([]);

/** Dismiss a group, after a wait. */
export function dismissLater(collection, id) {
  const noteId = note(t("unknowns.dismissed", { id: shortId(id) }), { undo: () => keep(id) });
  const timer = setTimeout(() => sendUnlessHeld(id), WAIT_MS);
  waits.set(id, { collection, timer, noteId });
  leaving.set((all) => [...all, { id, collection, until: Date.now() + WAIT_MS }]);
}

/** Undo all dismissals that wait. */
export function keepAll() {
  for (const [id, { noteId }] of [...waits]) {
    keep(id);
    settle(noteId);
  }
}

function keep(id) {
  clearTimeout(waits.get(id)?.timer);
  waits.delete(id);
  leaving.set((all) => all.filter((one) => one.id !== id));
  return t("unknowns.kept", { id: shortId(id) });
}

/** The toast waits while the pointer or the focus is on it, and so does what it can undo. */
function sendUnlessHeld(id) {
  const { noteId } = waits.get(id);
  const isShown = () => toasts.get().some((toast) => toast.id === noteId);
  if (!isShown()) {
    send(id);
    return;
  }
  const stop = toasts.subscribe(() => {
    if (isShown()) return;
    stop();
    if (waits.has(id)) send(id);
  });
}

/** @param {{keepalive?: boolean}} [options] keepalive: the request outlives the page */
async function send(id, { keepalive = false } = {}) {
  const { collection, timer, noteId } = waits.get(id);
  clearTimeout(timer);
  waits.delete(id);
  settle(noteId);
  try {
    await ask({ ...dismissCall(collection, id), keepalive, tries: keepalive ? 1 : 5 });
  } catch (problem) {
    const gone = problem.code === "unknown_group_not_found";
    note(gone ? t("unknowns.gone_already", { id: shortId(id) }) : sentenceOf(problem), {
      kind: gone ? "note" : "failed",
    });
  }
  leaving.set((all) => all.filter((one) => one.id !== id));
  inboxChanged();
}

addEventListener("pagehide", () => {
  for (const id of [...waits.keys()]) send(id, { keepalive: true });
});
