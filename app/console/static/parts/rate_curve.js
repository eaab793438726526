/**
 * Values between the points of a calibration curve. The logarithm of a rate is linear between two
 * points, as the service computes it: these are its values, not approximations.
 *
 * A point is {similarity, fmr: {value, low, high, extrapolated}}, by ascending similarity.
 */

/** The FMR at a similarity: {value, low, high, extrapolated}. */
export function rateAt(points, dataEnds, similarity) {
  const after = points.findIndex((point) => point.similarity >= similarity);
  const extrapolated = similarity > dataEnds;
  if (after === -1) return { ...points.at(-1).fmr, extrapolated };
  if (after === 0) return { ...points[0].fmr, extrapolated };
  const [a, b] = [points[after - 1], points[after]];
  const share = (similarity - a.similarity) / (b.similarity - a.similarity);
  const between = (name) => 10 ** mix(Math.log10(a.fmr[name]), Math.log10(b.fmr[name]), share);
  return { value: between("value"), low: between("low"), high: between("high"), extrapolated };
}

/** The least similarity whose FMR is at most this; null where the measurements support none. */
export function similarityAt(points, rate) {
  const after = points.findIndex(({ fmr }) => fmr.value <= rate);
  if (after === -1) return null;
  if (after === 0) return points[0].similarity;
  const [a, b] = [points[after - 1], points[after]];
  const [from, to] = [Math.log10(a.fmr.value), Math.log10(b.fmr.value)];
  return mix(a.similarity, b.similarity, to === from ? 1 : (Math.log10(rate) - from) / (to - from));
}

const mix = (from, to, share) => from + share * (to - from);
