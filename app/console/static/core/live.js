/** The live region: what a screen reader says without being asked. At most every two seconds. */

import { createStore } from "./store.js";

const PAUSE_MS = 2000;
let last = 0;
let timer = 0;

export const announcement = createStore("");

/** Announce a text, unless it is what was announced last. Of several within a pause, the latest. */
export function announce(text) {
  clearTimeout(timer);
  const say = () => {
    last = Date.now();
    announcement.set(text);
  };
  const wait = last + PAUSE_MS - Date.now();
  if (wait <= 0) say();
  else timer = setTimeout(say, wait);
}
