/** Values that several components show. */

import { useEffect, useState } from "./html.js";

/**
 * Make a store.
 * @template T
 * @param {T} initial
 */
export function createStore(initial) {
  let value = initial;
  const listeners = new Set();
  return {
    /** @returns {T} */
    get: () => value,
    /** Set the value, or make it of the present one. @param {T | ((value: T) => T)} next */
    set(next) {
      const made = typeof next === "function" ? next(value) : next;
      if (Object.is(made, value)) return;
      value = made;
      for (const listener of [...listeners]) listener(value);
    },
    /** @param {(value: T) => void} listener @returns {() => void} what ends it */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value of a store; the component is drawn again when it changes. */
export function useStore(store) {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    setValue(() => store.get()); // it may have changed before this component listened
    return store.subscribe((next) => setValue(() => next));
  }, [store]);
  return value;
}
