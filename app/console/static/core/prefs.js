/** Choices of the person at this browser: theme, language, shortcuts, faces. Nothing personal. */

import { createStore } from "./store.js";

const NAME = "vultus.preferences";
const DEFAULTS = {
  theme: "system", // or light, dark
  language: "system", // or en, de
  shortcuts: true, // single keys
  thumbnails: true, // faces in lists
  startDismissed: false,
};

function read() {
  try {
    return { ...DEFAULTS, ...JSON.parse(localStorage.getItem(NAME) ?? "{}") };
  } catch {
    return { ...DEFAULTS }; // no storage here, or not ours: the defaults do
  }
}

export const prefs = createStore(read());

/** Change some of them, and keep them for the next visit. */
export function setPrefs(changes) {
  prefs.set((present) => ({ ...present, ...changes }));
  try {
    localStorage.setItem(NAME, JSON.stringify(prefs.get()));
  } catch {
    // A browser without storage keeps them until the tab is closed.
  }
}

/** Follow the theme; `color-scheme` decides every colour (see style/tokens.css). */
export function followTheme() {
  const apply = ({ theme }) => {
    document.documentElement.dataset.theme = theme;
  };
  apply(prefs.get());
  prefs.subscribe(apply);
}
