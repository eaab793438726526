/** Frames of the camera, one after the other: the next one is taken after the answer to the last. */

import { useEffect, useRef, useState } from "../core/html.js";
import { Problem } from "../core/problem.js";

const PAUSE_MS = 100;
const DEFAULT_WAIT_S = 1;

/** The header that lets the service drop a frame which nobody waits for any more. */
export const FRAME_HEADERS = { "x-request-timeout-ms": "2000" };

/** Whether the next frame may succeed: the service is busy, late, or away for a moment. */
const passes = (problem) => problem instanceof Problem && (problem.isBusy || problem.isOffline || problem.status === 504);

/**
 * Call `work(frame, signal)` for one frame at a time as long as the camera is on; when it is frozen,
 * once more, so that the answer is about the picture that is seen. Returns the last problem, null
 * after a frame that went well. A problem that no other frame would solve stops the camera.
 * @param {ReturnType<typeof import("./camera.js").useCamera>} camera
 * @param {(frame: import("./camera.js").Frame, signal: AbortSignal) => Promise<unknown>} work
 */
export function useFrames(camera, work) {
  const [problem, setProblem] = useState(null);
  const latest = useRef(null);
  latest.current = { camera, work };
  const hasPicture = camera.phase === "on" && camera.size !== null;
  useEffect(() => {
    if (!hasPicture) return undefined;
    const ending = new AbortController();
    follow(latest, ending.signal, setProblem);
    return () => ending.abort();
  }, [hasPicture, camera.frozen]);
  return problem;
}

async function follow(latest, signal, setProblem) {
  while (!signal.aborted) {
    let waitMs = PAUSE_MS;
    try {
      const frame = await latest.current.camera.grab();
      if (signal.aborted) return;
      if (frame !== null) await latest.current.work(frame, signal);
      if (!signal.aborted) setProblem(null);
      if (latest.current.camera.frozen) return;
    } catch (problem) {
      if (signal.aborted) return;
      setProblem(problem);
      if (!passes(problem)) {
        if (!(problem instanceof Problem)) console.error(problem);
        latest.current.camera.stop();
        return;
      }
      waitMs = 1000 * (problem.retryAfterS ?? DEFAULT_WAIT_S);
    }
    await pause(waitMs, signal);
  }
}

const pause = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
