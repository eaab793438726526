/**
 * An examination of a collection by the doctor, a page of people at a time. It keeps a few findings
 * ahead of the one that is looked at, and no more: nothing is examined that is not looked at.
 *
 * It lives as long as the tab, so that another page may be looked at in between.
 */

import { ask, inCollection } from "../../core/api.js";
import { createStore } from "../../core/store.js";

/**
 * What a finding has here beside what the service answers: `page` is the cursor that found it, and
 * `revision` that of the collection then.
 * @typedef {{key: string, page: string | null, revision: number}} FoundAt
 */

const AHEAD = 20;
const WITHIN_S = 2;
const TRIES = 5;

const START = {
  findings: [],
  cursor: null, // of the next page
  ended: false, // all people were looked at
  examined: 0, // people
  handled: 0, // findings
  busy: false,
  paused: false,
  problem: null,
};

export const doctorCall = (collection, cursor) => ({
  path: inCollection(collection, "doctor"),
  query: { cursor, limit: AHEAD, within_s: WITHIN_S },
});

/** What tells a finding from others. */
const keyOf = ({ kind, identity, other, face_id: face }) =>
  [kind, face ?? [identity.identity_id, other?.identity_id].sort().join("-")].join("-");

const concerns = (finding, ids) =>
  [finding.identity.identity_id, finding.other?.identity_id, finding.face_id, finding.other_face_id].some((id) =>
    ids.includes(id),
  );

const examinations = new Map();

/** The examination of a collection in this tab. */
export function examinationOf(collection) {
  if (!examinations.has(collection)) examinations.set(collection, createExamination(collection));
  return examinations.get(collection);
}

function createExamination(collection) {
  const state = createStore(START);
  const change = (changes) => state.set((present) => ({ ...present, ...changes }));
  let running = null;

  const read = async (cursor, signal) => {
    const answer = await ask({ ...doctorCall(collection, cursor), signal, tries: TRIES });
    const known = { page: cursor, revision: answer.revision };
    return { ...answer, findings: answer.findings.map((one) => ({ ...one, key: keyOf(one), ...known })) };
  };
  /** New ones only: a page that is asked for again repeats those that are known. */
  const joined = (findings, more) => {
    const known = new Set(findings.map(({ key }) => key));
    return [...findings, ...more.filter(({ key }) => !known.has(key))];
  };

  /** Look at people until there are enough findings, or no more people. */
  const goOn = async () => {
    if (running !== null) return;
    const controller = new AbortController();
    running = controller;
    change({ busy: true, paused: false, problem: null });
    try {
      for (;;) {
        const { cursor, ended, findings } = state.get();
        if (ended || findings.length >= AHEAD || controller.signal.aborted) break;
        const answer = await read(cursor, controller.signal);
        state.set((present) => ({
          ...present,
          findings: joined(present.findings, answer.findings),
          examined: present.examined + answer.identities_examined,
          cursor: answer.next_cursor,
          ended: answer.next_cursor === null,
        }));
      }
    } catch (problem) {
      if (!controller.signal.aborted) change({ problem });
    }
    if (running === controller) {
      running = null;
      change({ busy: false });
    }
  };
  const stop = () => {
    running?.abort();
    running = null;
    change({ busy: false });
  };
  return {
    state,
    goOn,
    stop,
    pause: () => {
      stop();
      change({ paused: true });
    },
    /** From the first person again. */
    restart: () => {
      stop();
      state.set(START);
      return goOn();
    },
    /** A finding was handled; so are others about people or faces that are gone now. */
    handled: (finding, gone = []) => {
      state.set((present) => ({
        ...present,
        handled: present.handled + 1,
        findings: present.findings.filter((one) => one.key !== finding.key && !concerns(one, gone)),
      }));
      if (!state.get().paused) goOn();
    },
    /** It was undone: the finding comes first. */
    putBack: (finding) =>
      state.set((present) => ({
        ...present,
        handled: Math.max(0, present.handled - 1),
        findings: joined([finding], present.findings),
      })),
    /** People were changed elsewhere: look at them again, by the page that found them. */
    examineAnew: async (finding) => {
      const { findings } = await read(finding.page);
      const ids = [finding.identity.identity_id, finding.other?.identity_id].filter(Boolean);
      state.set((present) => ({
        ...present,
        findings: joined(findings, present.findings.filter((one) => !concerns(one, ids))),
      }));
    },
  };
}
