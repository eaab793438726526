/** The same change of several people: one request each, with progress, and one undo for all. */

import { ask, inCollection } from "./api.js";
import { note } from "./history.js";
import { useState } from "./html.js";
import { Problem } from "./problem.js";
import { route } from "./router.js";

const IDLE = { busy: false, done: 0, of: 0, failed: [] };
const TRIES = 5;

/** Change a person, unless they changed since they were read. */
export const changePerson = (collection, person, changes) => ({
  method: "PATCH",
  path: inCollection(collection, "identities", person.id),
  json: { ...changes, if_revision: person.revision },
});

/**
 * Change people: `changesOf(person)` are the fields. A change that fails stops none of the others.
 * Returns {busy, done, of, failed: [{person, problem}], run}.
 */
export function useChanges() {
  const [state, setState] = useState(IDLE);
  /**
   * @param {object[]} people
   * @param {(person: object) => object} changesOf
   * @param {(count: number) => string} sentence of what was done
   * @param {() => void} [onUndone]
   */
  const run = async (people, changesOf, sentence, onUndone) => {
    const { collection } = route.get(); // of now: the undo may come on another page
    const changed = []; // [before, after]
    const failed = [];
    setState({ ...IDLE, busy: true, of: people.length });
    for (const person of people) {
      try {
        const call = changePerson(collection, person, changesOf(person));
        changed.push([person, await ask({ ...call, tries: TRIES })]);
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        failed.push({ person, problem });
      }
      setState({ busy: true, of: people.length, done: changed.length + failed.length, failed });
    }
    setState({ busy: false, of: people.length, done: changed.length + failed.length, failed });
    if (changed.length > 0) {
      const undo = () => takeBack(collection, changed, changesOf, onUndone);
      note(sentence(changed.length), { undo });
    }
    return failed.length === 0;
  };
  return { ...state, run };
}

async function takeBack(collection, changed, changesOf, onUndone) {
  let problem = null;
  for (const [before, after] of changed) {
    const fields = Object.keys(changesOf(before));
    const former = Object.fromEntries(fields.map((field) => [field, before[field]]));
    try {
      await ask({ ...changePerson(collection, after, former), tries: TRIES });
    } catch (error) {
      problem = error; // the others go back all the same
    }
  }
  onUndone?.();
  if (problem !== null) throw problem;
}
