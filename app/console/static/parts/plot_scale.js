/** Scales of plots: from values to pixels, and the values at which lines are drawn. */

/**
 * A scale from `domain` to `range`.
 * @param {[number, number]} domain the least and the greatest value
 * @param {[number, number]} range where these are, in pixels
 * @param {{log?: boolean}} [options] log: equal factors are equally far apart; values above 0
 */
export function scaleOf([low, high], [from, to], { log = false } = {}) {
  const place = log ? Math.log10 : (value) => value;
  const [start, end] = [place(low), place(high)];
  const width = end - start || 1;
  return {
    domain: [low, high],
    at: (value) => from + ((place(value) - start) / width) * (to - from),
    /** The value at a place in pixels. */
    value: (pixel) => {
      const value = start + ((pixel - from) / (to - from || 1)) * width;
      return log ? 10 ** value : value;
    },
    /** At most about `most` round values. */
    ticks: (most) => (log ? decades(start, end, most) : rounds(low, high, most)),
  };
}

/** The least and the greatest of values; null and undefined are passed over. */
export function extent(values) {
  const present = values.filter((value) => value != null);
  return present.length === 0 ? [0, 1] : [Math.min(...present), Math.max(...present)];
}

function decades(start, end, most) {
  const [first, last] = [Math.ceil(start - 1e-9), Math.floor(end + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, most)));
  const powers = [];
  for (let power = first; power <= last; power += step) powers.push(10 ** power);
  return powers;
}

function rounds(low, high, most) {
  const rough = (high - low) / Math.max(1, most) || 1;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5].find((factor) => factor * unit >= rough) ?? 10);
  const values = [];
  const first = Math.ceil(low / step - 1e-9);
  for (let times = first; times * step <= high + step * 1e-9; times += 1) values.push(times * step + 0); // no -0
  return values;
}
