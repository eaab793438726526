/** A line without axes: how a number went lately. The numbers themselves stand beside it. */

import { html } from "../core/html.js";

const [WIDTH, HEIGHT] = [300, 40];

/**
 * @param {object} props
 * @param {{at: number, value: number | null}[]} props.samples by time, in ms
 * @param {number} props.spanMs the time that the width stands for
 * @param {number} props.gapMs samples that are further apart are not joined
 * @param {number} [props.most] the value at the top; else the greatest
 */
export function Sparkline({ samples, spanMs, gapMs, most }) {
  const present = samples.filter(({ value }) => value != null);
  if (present.length === 0) return html`<svg class="sparkline" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true"></svg>`;
  const end = present.at(-1).at;
  const top = Math.max(most ?? 0, ...present.map(({ value }) => value)) || 1;
  const x = (at) => (WIDTH * (1 - (end - at) / spanMs)).toFixed(1);
  const y = (value) => (HEIGHT - 1 - (HEIGHT - 2) * (value / top)).toFixed(1);
  const parts = [];
  for (const sample of present) {
    const part = parts.at(-1);
    if (part && sample.at - part.at(-1).at <= gapMs) part.push(sample);
    else parts.push([sample]);
  }
  const line = (part) => part.map(({ at, value }) => `${x(at)} ${y(value)}`).join("L");
  return html`<svg class="sparkline" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
    ${parts.map(
      (part) => html`<path class="area" d=${`M${x(part[0].at)} ${HEIGHT}L${line(part)}V${HEIGHT}Z`} />
        <path d=${`M${line(part)}`} />`,
    )}
  </svg>`;
}
