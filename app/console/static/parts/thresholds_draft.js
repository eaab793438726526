/**
 * What is typed about a collection's thresholds, and the options that it stands for.
 *
 * For identify and verify, `by` says what decides: the service's default, a rate, or a similarity.
 */

const OPERATIONS = { identify: "target_fpir", verify: "target_fmr" };

/** A rate as "one in so many", without digits that nobody typed. */
const oneIn = (rate) => String(Number((1 / rate).toPrecision(6)));

/**
 * The draft of a collection as it is now.
 * @param {Record<string, number | null>} decisions its options
 * @param {Record<string, any>} defaults the thresholds of the service
 */
export function draftOf(decisions, defaults) {
  const draft = { margin: { by: decisions.margin == null ? "measured" : "fixed", value: written(decisions.margin) } };
  for (const [operation, target] of Object.entries(OPERATIONS)) {
    const similarity = decisions[`${operation}_threshold`];
    const rate = decisions[target];
    draft[operation] = {
      by: similarity != null ? "fixed" : rate != null ? "rate" : "service",
      oneIn: oneIn(rate ?? defaults[target]),
      similarity: written(similarity),
    };
  }
  return draft;
}

const written = (value) => (value == null ? "" : String(value));
const numberOf = (text) => (text.trim() === "" ? NaN : Number(text));

/** The rate of a draft's operation; null where none is typed. */
export function rateOf({ oneIn: text }) {
  const value = numberOf(text);
  return value > 1 && Number.isFinite(value) ? 1 / value : null;
}

/** The similarity of a draft's operation; null where none is typed. */
export function similarityOf({ similarity }) {
  const value = numberOf(similarity);
  return value >= -1 && value <= 1 ? value : null;
}

/** The margin of a draft; null where none is typed. */
export function marginOf({ value: text }) {
  const value = numberOf(text);
  return value >= 0 && value <= 2 ? value : null;
}

/** Whether all that decides is there. */
export const isComplete = (draft) =>
  Object.keys(OPERATIONS).every((operation) => {
    const { by } = draft[operation];
    return by === "service" || (by === "rate" ? rateOf : similarityOf)(draft[operation]) !== null;
  }) &&
  (draft.margin.by === "measured" || marginOf(draft.margin) !== null);

/** The options of a draft, as PATCH takes them; null goes back to the default. */
export function decisionsOf(draft) {
  const decisions = { margin: draft.margin.by === "fixed" ? marginOf(draft.margin) : null };
  for (const [operation, target] of Object.entries(OPERATIONS)) {
    const { by } = draft[operation];
    decisions[target] = by === "rate" ? rateOf(draft[operation]) : null;
    decisions[`${operation}_threshold`] = by === "fixed" ? similarityOf(draft[operation]) : null;
  }
  return decisions;
}

/** Options that a draft changes; null where it changes none. */
export function changesOf(draft, decisions) {
  const next = Object.entries(decisionsOf(draft)).filter(([name, value]) => !same(value, decisions[name] ?? null));
  return next.length === 0 ? null : Object.fromEntries(next);
}

/** Rates are typed as "one in so many", whose digits are fewer than those of the rate. */
const same = (a, b) => a === b || (a != null && b != null && Math.abs(a - b) <= 1e-5 * Math.abs(b));
