/** The requests of an erasure, one after the other, with their receipts. */

import { ask } from "../core/api.js";
import { keepReceipt, note as noteAction } from "../core/history.js";
import { useRef, useState } from "../core/html.js";
import { readCollection } from "../core/session.js";
import { forgetTabFaces } from "../core/tab_photos.js";

const TRIES = 5;

/**
 * @param {{id: string, call: import("../core/api.js").Call, receiptOf?: (answer: any) => any}[]} items
 *   receiptOf: where the answer has its receipt, if it is none itself
 * @param {(count: number) => string} note the sentence of what was done
 */
export function useErasing(items, note) {
  const [state, setState] = useState({ phase: "asking", receipts: [], gone: [], problem: null });
  const stopped = useRef(false);
  const outcomes = useRef(new Map()); // id -> receipt, or null for what was gone already
  const show = (phase, problem = null) => {
    const all = [...outcomes.current];
    setState({
      phase,
      problem,
      receipts: all.map(([, receipt]) => receipt).filter(Boolean),
      gone: all.filter(([, receipt]) => receipt === null).map(([id]) => id),
    });
  };
  const callOf = ({ call }, compact) => ({ ...call, query: { ...call.query, compact: compact ? "true" : null } });

  const run = async (compact) => {
    stopped.current = false;
    show("running");
    const before = outcomes.current.size;
    let problem = null;
    for (const item of items) {
      if (outcomes.current.has(item.id)) continue;
      if (stopped.current) break;
      try {
        const answer = await ask({ ...callOf(item, compact), tries: TRIES });
        const receipt = item.receiptOf?.(answer) ?? answer;
        outcomes.current.set(item.id, receipt);
        keepReceipt(receipt);
        forgetTabFaces(receipt.face_ids);
      } catch (error) {
        if (error.status !== 404) {
          problem = error;
          break;
        }
        outcomes.current.set(item.id, null);
      }
      show("running");
    }
    show(problem ? "failed" : "done", problem);
    const erased = [...outcomes.current.values()].slice(before).filter(Boolean).length;
    if (erased > 0) noteAction(note(erased));
    await readCollection();
  };
  return {
    ...state,
    run,
    callOf,
    /** The ids of what is gone now. */
    erased: () => [...outcomes.current.keys()],
    /** Stop after the request under way. */
    stop: () => {
      stopped.current = true;
    },
  };
}
