/**
 * The API key: in this tab's session storage alone, and dropped after 30 idle minutes.
 *
 * A second tab asks the first one for it. It is sent as the header `x-api-key`, and in no URL.
 */

import { createStore } from "./store.js";

const NAME = "vultus.key";
const IDLE_MS = 30 * 60 * 1000;
const ANSWER_MS = 150;

/** Whether the service refused the present key, or demands one: then a form asks for it. */
export const keyDemand = createStore({ needed: false, refused: false });

let key = readKey();
let timer = 0;
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("vultus.key") : null;

function readKey() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null;
  }
}

/** @returns {string | null} */
export const presentKey = () => key;

export function setKey(value) {
  key = value;
  try {
    sessionStorage.setItem(NAME, value);
  } catch {
    // Without session storage the key lives as long as the page.
  }
  noteActivity();
}

/** Forget the key, here and, if it was forgotten by hand, in the other tabs. */
export function forgetKey({ everywhere = true } = {}) {
  key = null;
  clearTimeout(timer);
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // It was never there.
  }
  if (everywhere) channel?.postMessage({ kind: "forget" });
  keyDemand.set({ needed: true, refused: false });
}

/** The service refused this key, or demands one: forget it, unless there is another by now. */
export function refuseKey(refused) {
  if (refused !== key) return;
  forgetKey({ everywhere: false });
  keyDemand.set({ needed: true, refused: refused !== null });
}

function noteActivity() {
  if (key === null) return;
  clearTimeout(timer);
  timer = setTimeout(() => forgetKey({ everywhere: false }), IDLE_MS);
}

/** Begin: ask the other tabs for a key where this one has none. */
export async function startKeys() {
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, noteActivity, true);
  channel?.addEventListener("message", ({ data }) => {
    if (data.kind === "ask" && key !== null) channel.postMessage({ kind: "have", key });
    if (data.kind === "forget" && key !== null) forgetKey({ everywhere: false });
  });
  if (key === null && channel !== null) {
    const answered = new Promise((resolve) => {
      channel.addEventListener("message", function take({ data }) {
        if (data.kind !== "have") return;
        channel.removeEventListener("message", take);
        setKey(data.key);
        resolve();
      });
    });
    channel.postMessage({ kind: "ask" });
    await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, ANSWER_MS))]);
  }
  noteActivity();
}
