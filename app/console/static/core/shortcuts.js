/** Single keys. They are off where somebody types, in dialogs, and by choice (WCAG 2.1.4). */

import { note } from "./history.js";
import { useLayoutEffect } from "./html.js";
import { prefs } from "./prefs.js";
import { may, reasonOf } from "./rights.js";

const TYPING = "input, textarea, select, [contenteditable]";
const present = new Map(); // key -> {run, label}, of what is shown now

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof Element && event.target.closest(TYPING)) {
    if (event.target.type !== "checkbox" && event.target.type !== "radio") return;
  }
  if (document.querySelector("dialog[open]") || !prefs.get().shortcuts) return;
  if (event.key === " " && event.target.closest?.("button, a, summary")) return;
  const shortcut = present.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
  if (shortcut === undefined) return;
  event.preventDefault();
  if (shortcut.needs !== undefined && !may(shortcut.needs)) note(reasonOf(shortcut.needs), { kind: "note" });
  else shortcut.run(event);
}

addEventListener("keydown", onKey);

/**
 * Give keys to a component as long as it is shown: {n: {label, run}}. Where the API key lacks the
 * right that a key `needs`, pressing it says so.
 * @param {Record<string, {label: string, needs?: string, run: (event: KeyboardEvent) => unknown}>} keys
 */
export function useShortcuts(keys) {
  // With the drawing itself: a key that follows at once sees what was drawn, not what was before.
  useLayoutEffect(() => {
    const before = Object.keys(keys).map((key) => [key, present.get(key)]);
    for (const [key, shortcut] of Object.entries(keys)) present.set(key, shortcut);
    return () => {
      for (const [key, shortcut] of before) {
        if (shortcut === undefined) present.delete(key);
        else present.set(key, shortcut);
      }
    };
  });
}

/** The keys that do something now: [key, label]. */
export const presentShortcuts = () => [...present].map(([key, { label }]) => [key, label]);
