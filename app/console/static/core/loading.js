/** Answers that a component shows: the old ones stay until the new ones are there. */

import { useCallback, useEffect, useRef, useState } from "./html.js";
import { Problem } from "./problem.js";

/** A defect of the page is shown like a problem, and is in the browser's console as well. */
function noticeDefect(error) {
  if (!(error instanceof Problem)) console.error(error);
}

/**
 * Load something when `keys` change. The result is {data, problem, busy, reload}.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {unknown[]} keys
 */
export function useLoaded(load, keys) {
  const [state, setState] = useState({ data: null, problem: null, busy: true });
  const latest = useRef(load);
  latest.current = load;
  const running = useRef(null);
  const run = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setState((present) => ({ ...present, busy: true }));
    latest.current(controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setState({ data, problem: null, busy: false });
      },
      (problem) => {
        if (controller.signal.aborted) return;
        noticeDefect(problem);
        setState((present) => ({ ...present, problem, busy: false }));
      },
    );
  }, []);
  useEffect(() => {
    run();
    return () => running.current?.abort();
  }, keys);
  return { ...state, reload: run };
}

/** Do something at a click: {run, busy, problem, clear}. A second click while it runs is none. */
export function useAction(work) {
  const [state, setState] = useState({ busy: false, problem: null });
  const busy = useRef(false);
  const run = async (...args) => {
    if (busy.current) return undefined;
    busy.current = true;
    setState({ busy: true, problem: null });
    try {
      const result = await work(...args);
      setState({ busy: false, problem: null });
      return result;
    } catch (problem) {
      noticeDefect(problem);
      setState({ busy: false, problem });
      return undefined;
    } finally {
      busy.current = false;
    }
  };
  return { ...state, run, clear: () => setState({ busy: busy.current, problem: null }) };
}
