/** What the page knows of the service: its version and limits, and the present collection. */

import { ask, inCollection, online } from "./api.js";
import { keyDemand, presentKey } from "./keys.js";
import { go, href, route } from "./router.js";
import { createStore } from "./store.js";

/** The answer of GET /v1/info; null until it is there. */
export const info = createStore(null);

/** The answer of GET /v1/me: what the key may do, and where; null without a key, when all is allowed. */
export const me = createStore(null);

/** The answer of GET /v1/collections/{collection}, {problem}, or null. */
export const collection = createStore(null);

/** Another version of the service than the one this page came from. */
export const otherVersion = createStore(null);

/** Why the service is not reached or not ready; null when all is well. */
export const trouble = createStore(null);

const AGAIN_MS = 2000;
const DEFAULT_COLLECTION = "default";
let timer = 0;

/** Read the service's information, and then the collection. Tries again until it is there. */
export async function connect() {
  clearTimeout(timer);
  try {
    const hasKey = presentKey() !== null;
    const [answer, caller] = await Promise.all([ask({ path: "info" }), hasKey ? ask({ path: "me" }) : null]);
    me.set(caller);
    if (info.get() !== null && info.get().version !== answer.version) otherVersion.set(answer.version);
    info.set(answer);
    trouble.set(null);
    keyDemand.set({ needed: false, refused: false });
    if (caller !== null) leaveForOwnCollection(caller);
    await readCollection();
  } catch (problem) {
    if (problem.status === 401) return;
    trouble.set(problem);
    timer = setTimeout(connect, AGAIN_MS);
  }
}

/** A key that may not see the default collection begins with the first that it may see. */
function leaveForOwnCollection({ collections }) {
  const { page, collection: name, args, query } = route.get();
  if (name !== DEFAULT_COLLECTION || !(collections?.length > 0) || collections.includes(name)) return;
  go(href(page, { collection: collections[0], args, query }), { replace: true });
}

/** Read the present collection anew, after a change of it. */
export async function readCollection() {
  const name = route.get().collection;
  try {
    const answer = await ask({ path: inCollection(name) });
    if (route.get().collection === name) collection.set(answer);
  } catch (problem) {
    if (problem.isOffline || problem.status === 401) return;
    if (route.get().collection === name) collection.set({ name, problem });
  }
}

export async function startSession() {
  let name = route.get().collection;
  route.subscribe((present) => {
    if (present.collection === name || info.get() === null) return;
    name = present.collection;
    collection.set(null);
    readCollection();
  });
  online.subscribe((reached) => {
    if (!reached && info.get() !== null) {
      trouble.set({ isOffline: true });
      timer = setTimeout(connect, AGAIN_MS);
    }
  });
  await connect();
}
