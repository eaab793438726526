/** Requests to the API: with the key, with problems as errors, patient with a busy service. */

import { presentKey, refuseKey } from "./keys.js";
import { Problem, problemOf } from "./problem.js";
import { createStore } from "./store.js";

/** `/v1/`, below whatever prefix this page is served. */
export const API_BASE = new URL("../v1/", document.baseURI);

/** Whether the last request reached the service. */
export const online = createStore(true);

/** How many requests wait for a busy service, and until when (ms since 1970). */
export const waiting = createStore({ count: 0, until: 0 });

const LONGEST_WAIT_S = 30;

/**
 * A request: `path` is relative to `/v1/`.
 * @typedef {object} Call
 * @property {string} [method]
 * @property {string} path
 * @property {Record<string, unknown>} [query] null and undefined are left out
 * @property {unknown} [json]
 * @property {[string, Blob | string, string?][]} [form] fields of a multipart form, in order
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {boolean} [keepalive]
 * @property {number} [tries] how often a busy service is asked; 1 by default
 */

/**
 * Make a request, and return {body, headers, status}. Raises Problem.
 * @param {Call} call
 */
export async function request(call) {
  const tries = call.tries ?? 1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(call);
    } catch (error) {
      if (!(error instanceof Problem) || !error.isBusy || attempt >= tries) throw error;
      await patience(error.retryAfterS ?? attempt, call.signal);
    }
  }
}

/** Make a request, and return its body alone. @param {Call} call */
export const ask = async (call) => (await request(call)).body;

/**
 * Read a list to its end, page by page, and return all its items.
 * @param {Call} call
 * @param {string} name of the items in the answers
 */
export async function askAll(call, name) {
  const all = [];
  let cursor = null;
  do {
    const page = await ask({ ...call, query: { ...call.query, cursor } });
    all.push(...page[name]);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return all;
}

/** The address of a call. @param {Call} call */
export function urlOf({ path, query = {} }) {
  const url = new URL(`./${path}`, API_BASE); // else `people:export` would be a scheme
  for (const [name, value] of Object.entries(query)) {
    if (value != null && value !== "") url.searchParams.set(name, String(value));
  }
  return url;
}

async function once(call) {
  const headers = new Headers(call.headers);
  const key = presentKey();
  if (key !== null) headers.set("x-api-key", key);
  let body;
  if (call.form) {
    body = new FormData();
    for (const [name, value, filename] of call.form) {
      if (value instanceof Blob) body.append(name, value, filename ?? value.name ?? "photo");
      else body.append(name, value);
    }
  } else if (call.json !== undefined) {
    headers.set("content-type", "application/json");
    body = JSON.stringify(call.json);
  }
  let response;
  try {
    response = await fetch(urlOf(call), {
      method: call.method ?? "GET",
      headers,
      body,
      signal: call.signal,
      keepalive: call.keepalive,
      credentials: "omit",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    online.set(false);
    throw new Problem({ status: 0, code: "offline", detail: "" });
  }
  online.set(true);
  if (response.status === 401) refuseKey(key);
  if (!response.ok) throw await problemOf(response);
  return { body: await read(response), headers: response.headers, status: response.status };
}

function read(response) {
  const type = response.headers.get("content-type") ?? "";
  if (response.status === 204) return null;
  return type.startsWith("application/json") ? response.json() : response.blob();
}

async function patience(seconds, signal) {
  const ms = Math.min(seconds, LONGEST_WAIT_S) * 1000;
  const until = Date.now() + ms;
  waiting.set((present) => ({
    count: present.count + 1,
    until: Math.max(present.until, until),
  }));
  try {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
  } finally {
    waiting.set((present) => ({ ...present, count: present.count - 1 }));
  }
}

/** The path of something in a collection: inCollection("staff", "identities", id). */
export const inCollection = (collection, ...parts) =>
  ["collections", collection, ...parts].map(encodeURIComponent).join("/").replaceAll("%3A", ":");
