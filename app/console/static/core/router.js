/**
 * Routes behind the `#`, so that the page works below any prefix: `#/c/default/people?q=ada`.
 *
 * A route is {collection, page, args, query}: `#/c/staff/person/4f2a` has the args ["4f2a"].
 */

import { useStore, createStore } from "./store.js";

export const FIRST_PAGE = "start";
const DEFAULT_COLLECTION = "default";

/** @param {string} hash */
export function parseRoute(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decode);
  const inCollection = parts[0] === "c" && parts.length > 1;
  const [page = FIRST_PAGE, ...args] = inCollection ? parts.slice(2) : parts;
  return {
    collection: inCollection ? parts[1] : DEFAULT_COLLECTION,
    page,
    args,
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone % that somebody typed
  }
}

export const route = createStore(parseRoute(location.hash));
let leaving = null;
let shown = location.hash; // the address of the present page

/** Where the present page is to be left for, while it asks whether: {address, text}; else null. */
export const leave = createStore(null);

/** The present route; the component is drawn again when it changes. */
export const useRoute = () => useStore(route);

/**
 * The address of a page. What is left out of `collection` is the present one.
 * @param {string} page
 * @param {{collection?: string, args?: string[], query?: Record<string, unknown>}} [to]
 */
export function href(page, { collection, args = [], query = {} } = {}) {
  const parts = ["c", collection ?? route.get().collection, page, ...args];
  const entries = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const search = new URLSearchParams(entries).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${search && `?${search}`}`;
}

/** Go to a page. `replace` leaves no step for Back. */
export function go(address, { replace = false } = {}) {
  if (replace) {
    history.replaceState(history.state, "", address);
    take();
  } else {
    location.hash = address;
  }
}

/** Change parameters of the present address; null takes one away. */
export function setQuery(changes, { replace = true } = {}) {
  const { page, args, query } = route.get();
  go(href(page, { args, query: { ...query, ...changes } }), { replace });
}

/**
 * Ask before the page is left: `question` returns a text, or null to leave.
 * Returns what takes the question back.
 * @param {() => string | null} question
 */
export function askBeforeLeaving(question) {
  const unload = (event) => question() !== null && event.preventDefault();
  leaving = question;
  addEventListener("beforeunload", unload);
  return () => {
    if (leaving === question) leaving = null;
    removeEventListener("beforeunload", unload);
  };
}

/** The answer to `leave`: go there, or stay. */
export function answerLeave(goes) {
  const { address } = leave.get();
  leave.set(null);
  if (!goes) return;
  leaving = null;
  go(address);
}

const placeOf = ({ collection, page, args }) => [collection, page, ...args].join("/");

function take() {
  const next = parseRoute(location.hash);
  const text = placeOf(next) === placeOf(route.get()) ? null : (leaving?.() ?? null);
  if (text === null) {
    shown = location.hash;
    route.set(next);
    return;
  }
  leave.set({ address: location.hash, text });
  history.replaceState(history.state, "", shown); // the page is still this one
}

export function startRouter() {
  addEventListener("hashchange", take);
  take();
}
