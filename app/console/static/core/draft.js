/** What is typed into fields, which no answer may overwrite. */

import { useRef, useState } from "./html.js";

/**
 * Texts of fields whose values come from elsewhere: an address, a record. What is typed stays, however
 * often the page is drawn, until that field's own value changes elsewhere. The result is
 * {texts, set, discard}; `set(name)` takes the text of a field.
 * @param {Record<string, string>} values
 */
export function useDraft(values) {
  const typed = useRef({}); // {text, over}, by name: `over` is the value that it stands for
  const [, draw] = useState({});
  typed.current = Object.fromEntries(Object.entries(typed.current).filter(([name, { over }]) => over === values[name]));
  const change = (next) => {
    typed.current = next;
    draw({});
  };
  const set = (name) => (text) => change({ ...typed.current, [name]: { text, over: values[name] } });
  const texts = Object.fromEntries(Object.keys(values).map((name) => [name, typed.current[name]?.text ?? values[name]]));
  return { texts, set, discard: () => change({}) };
}

/**
 * For `setState` after an answer: the next value, if the present one is still that which was sent.
 * What is typed while the answer is on its way stays.
 * @template T
 * @param {T} sent
 * @param {T} next
 */
export const ifStill = (sent, next) => (present) => (present === sent ? next : present);
