/**
 * What GET /v1/stats answered in the last 15 minutes, gathered by the page while it is seen.
 *
 * Of several processes behind one port, each answers for itself: they are kept apart by their pid.
 */

import { ask } from "../core/api.js";
import { useEffect, useState } from "../core/html.js";
import { createStore, useStore } from "../core/store.js";

export const EVERY_MS = 2000;
export const SPAN_MS = 15 * 60 * 1000;

/** The call that is repeated. */
export const STATS = { path: "stats" };

/** By pid: {stats, at, samples: [{at, stats}]}, those of the last 15 minutes. */
const processes = createStore(new Map());

function keep(stats) {
  const at = Date.now();
  processes.set((present) => {
    const next = new Map();
    for (const [pid, process] of present) {
      if (process.at > at - SPAN_MS) next.set(pid, process);
    }
    const former = next.get(stats.pid)?.samples ?? [];
    // After a restart a pid may come again: its counts begin anew.
    const same = (former.at(-1)?.uptime_s ?? 0) <= stats.uptime_s ? former : [];
    const samples = [...same.filter((sample) => sample.at > at - SPAN_MS), sampleOf(stats, at)];
    return next.set(stats.pid, { stats, at, samples });
  });
}

/** The numbers of an answer that are drawn over time. */
const sampleOf = (stats, at) => ({
  at,
  uptime_s: stats.uptime_s,
  requests_per_s: stats.requests_per_s,
  requests_in_progress: stats.requests_in_progress,
  photos_pending: stats.queue.photos_pending,
  resident_bytes: stats.resident_bytes,
  revisions_behind: stats.index.revisions_behind,
  p95_ms: Object.fromEntries(Object.entries(stats.routes).map(([route, { p95_ms }]) => [route, p95_ms])),
});

/** Ask every two seconds while the page is seen. The result is {processes, problem}. */
export function useStats() {
  const present = useStore(processes);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    let timer = 0;
    let controller = null;
    const stop = () => {
      clearTimeout(timer);
      controller?.abort();
      controller = null;
    };
    const next = async () => {
      stop();
      if (document.visibilityState !== "visible") return;
      const mine = new AbortController();
      controller = mine;
      try {
        keep(await ask({ ...STATS, signal: mine.signal }));
        setProblem(null);
      } catch (error) {
        if (!mine.signal.aborted) setProblem(error);
      }
      if (!mine.signal.aborted) timer = setTimeout(next, EVERY_MS);
    };
    document.addEventListener("visibilitychange", next);
    next();
    return () => {
      document.removeEventListener("visibilitychange", next);
      stop();
    };
  }, []);
  return { processes: present, problem };
}
