/**
 * An enrolment of many people, which goes on while other pages are shown.
 *
 * A request is one person. Two are under way, up to four while all goes well; a service that is busy
 * halves them, and its people are sent again. Nothing doubles: a person who is there gets the photos
 * that they lack, and a request that is repeated has the same `Idempotency-Key`.
 */

import { newKey } from "../../core/idempotency.js";
import { Problem } from "../../core/problem.js";
import { createStore } from "../../core/store.js";
import { enrollRow } from "./enroll_row.js";

const FIRST_AT_ONCE = 2;
const MOST_AT_ONCE = 4;
const GOES_WELL_AFTER = 8;
const OFFLINE_WAIT_S = 2;

/**
 * @typedef {object} Row
 * @property {import("./plan.js").PlannedPerson} person
 * @property {"waiting" | "sending" | "enrolled" | "known" | "resembles" | "refused" | "failed"} state
 * @property {string | null} identityId
 * @property {number} newFaces
 * @property {{path: string, file: File, reasons: string[], detail: string}[]} refused
 * @property {object | null} resemblance whom the photos look like
 * @property {Problem | null} problem
 */

/** The job of this tab; null before the first. */
export const job = createStore(null);

/**
 * Begin. @param {import("./plan.js").Plan} plan @param {string} collection
 * @param {object | null} consent of each new person, where the collection demands one
 */
export function beginJob(plan, collection, limits, consent = null) {
  const rows = plan.people.map((person, index) => ({
    id: index,
    person,
    state: "waiting",
    identityId: null,
    newFaces: 0,
    refused: [],
    resemblance: null,
    problem: null,
    rules: {},
    attempt: 0,
    photos: person.photos,
  }));
  const made = {
    collection,
    consent,
    limits,
    left: plan.left,
    rows,
    run: newKey(),
    state: "running", // paused, stopped, done
    startedAt: Date.now(),
    photosDone: 0,
    busyUntil: 0,
  };
  job.set(made);
  pace = { atOnce: FIRST_AT_ONCE, underWay: 0, well: 0 };
  holdAwake();
  pump();
}

let pace = { atOnce: FIRST_AT_ONCE, underWay: 0, well: 0 };

const change = (changes) => job.set((present) => ({ ...present, ...changes }));

function changeRow(id, changes) {
  job.set((present) => ({
    ...present,
    rows: present.rows.map((row) => (row.id === id ? { ...row, ...changes } : row)),
  }));
}

export function pauseJob() {
  change({ state: "paused" });
}

export function resumeJob() {
  change({ state: "running" });
  holdAwake();
  pump();
}

/** Stop: what is under way is finished, nothing new is sent. */
export function stopJob() {
  change({ state: "stopped" });
  letSleep();
}

/** Leave the job, so that another can begin. */
export const closeJob = () => job.set(null);

/** Send the refused photos of some people again, by other rules: {faces: "largest"}, {force: true}. */
export function sendAgain(ids, rules) {
  const again = new Set(ids);
  job.set((present) => ({
    ...present,
    state: "running",
    rows: present.rows.map((row) => {
      if (!again.has(row.id)) return row;
      const photos = row.refused.length > 0 ? row.refused.map(({ path, file }) => ({ path, file })) : row.photos;
      return { ...row, photos, rules, state: "waiting", refused: [], resemblance: null, problem: null, attempt: row.attempt + 1 };
    }),
  }));
  holdAwake();
  pump();
}

/** Give the photos of a row to a person who is enrolled: to whom they look alike. */
export function sendTo(id, identityId) {
  changeRow(id, { identityId });
  sendAgain([id], {});
}

/** Leave a person out, after all. */
export const leaveOut = (id) => changeRow(id, { state: "refused", resemblance: null });

function pump() {
  const present = job.get();
  if (present === null || present.state !== "running") return;
  const wait = present.busyUntil - Date.now();
  if (wait > 0) {
    setTimeout(pump, wait);
    return;
  }
  while (pace.underWay < pace.atOnce) {
    const next = job.get().rows.find(({ state }) => state === "waiting");
    if (next === undefined) break;
    pace.underWay += 1;
    changeRow(next.id, { state: "sending" });
    send(next).finally(() => {
      pace.underWay -= 1;
      pump();
    });
  }
  if (pace.underWay === 0 && !job.get().rows.some(({ state }) => state === "waiting")) {
    change({ state: "done" });
    letSleep();
  }
}

async function send(row) {
  try {
    changeRow(row.id, await enrollRow(row, job.get()));
    change({ photosDone: job.get().photosDone + row.photos.length });
    pace.well += 1;
    if (pace.well % GOES_WELL_AFTER === 0) pace.atOnce = Math.min(MOST_AT_ONCE, pace.atOnce + 1);
  } catch (problem) {
    if (problem instanceof Problem && (problem.isBusy || problem.isOffline || problem.status === 401)) {
      slowDown(problem);
      changeRow(row.id, { state: "waiting" }); // nothing is lost: it is sent again
      return;
    }
    if (!(problem instanceof Problem)) console.error(problem);
    changeRow(row.id, { state: "failed", problem });
  }
}

function slowDown(problem) {
  pace.atOnce = Math.max(1, Math.floor(pace.atOnce / 2));
  pace.well = 0;
  const seconds = problem.isBusy ? (problem.retryAfterS ?? 1) : OFFLINE_WAIT_S;
  change({ busyUntil: Date.now() + seconds * 1000 });
  // A key that is missing has to be entered; then it goes on by hand.
  if (problem.status === 401) change({ state: "paused" });
}

let lock = null;

/** Keep the screen on, where the browser lets us: a computer that sleeps sends nothing. */
async function holdAwake() {
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    lock = null; // refused on low battery, or while hidden: the job runs all the same
  }
}

function letSleep() {
  lock?.release();
  lock = null;
}

addEventListener("beforeunload", (event) => {
  const state = job.get()?.state;
  if (state === "running" || state === "paused") event.preventDefault();
});
