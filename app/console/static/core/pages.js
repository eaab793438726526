/** The pages. Each is a module of its own, loaded with its texts when it is first shown. */

import { loadStyles } from "./styles.js";
import { loadTexts } from "./text.js";

/** In the navigation, in this order. */
export const NAVIGATION = ["start", "identify", "people", "unknowns", "review", "thresholds", "privacy", "system"];

/** Pages that are not in the navigation, and the entry that is marked there. */
const BELOW = { person: "people", enroll: "people", enroll_many: "people", keys: "system", webhooks: "system" };

/** The entry of the navigation that a page belongs to; undefined for an address of no page. */
export const entryOf = (page) => (NAVIGATION.includes(page) ? page : BELOW[page]);

const loaded = new Map();

/** The page's component if it was loaded before. */
export const presentPage = (page) => loaded.get(page);

/** Load a page: its component, and its texts. A shared part loads its own: `await loadTexts("camera");`. */
export async function loadPage(page) {
  const styles = page === "start" ? null : loadStyles();
  const [module] = await Promise.all([import(`../pages/${page}.js`), loadTexts(page), styles]);
  loaded.set(page, module.default);
  return module.default;
}
