/** A few at a time: what waits for a free slot, first come, first served. */

/**
 * Make slots: `run(work)` calls `work` when one is free.
 * @param {number} most
 */
export function createSlots(most) {
  const queue = [];
  let busy = 0;
  const begin = () => {
    while (busy < most && queue.length > 0) {
      const { work, resolve, reject, signal } = queue.shift();
      if (signal?.aborted) {
        reject(signal.reason);
        continue;
      }
      busy += 1;
      Promise.resolve()
        .then(work)
        .then(resolve, reject)
        .finally(() => {
          busy -= 1;
          begin();
        });
    }
  };
  return {
    /** @template T @param {() => Promise<T>} work @param {AbortSignal} [signal] @returns {Promise<T>} */
    run: (work, signal) =>
      new Promise((resolve, reject) => {
        queue.push({ work, resolve, reject, signal });
        begin();
      }),
  };
}
