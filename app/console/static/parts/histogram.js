/** Two histograms over each other: one is filled, the other a line, so that both are told apart without colour. */

import { html } from "../core/html.js";
import { Axes, PlotFrame, rangesOf } from "./plot_frame.js";
import { scaleOf } from "./plot_scale.js";

/**
 * @param {object} props as those of `PlotFrame`, and
 * @param {number[]} props.edges of the bins, ascending, one more than bins
 * @param {{text: string, shares: number[]}} props.filled the share of each bin, 0 to 1
 * @param {{text: string, shares: number[]}} props.outlined
 * @param {{x: number, text: string} | null} [props.mark] a value on the x axis
 * @param {string} [props.note] what is to be known of the counts
 */
export function Histogram({ edges, filled, outlined, mark = null, note, ...frame }) {
  const { x, y } = frame;
  const draw = (area) => {
    const ranges = rangesOf(area);
    const across = scaleOf([edges[0], edges.at(-1)], ranges.across);
    const up = scaleOf([0, Math.max(...filled.shares, ...outlined.shares)], ranges.up);
    const at = mark && across.at(mark.x);
    return html`<${Axes} ...${{ area, across, up, x, y }} />
      <path class="plot-band" d=${steps(edges, filled.shares, across, up)} />
      <path class="plot-line" d=${steps(edges, outlined.shares, across, up)} />
      ${mark &&
      html`<g class="plot-mark">
        <path d=${`M${at} ${area.rem}V${area.bottom}`} />
        <text x=${at} y=${0.8 * area.rem} text-anchor=${at > area.width / 2 ? "end" : "start"}>${mark.text}</text>
      </g>`}`;
  };
  const legend = html`<p class="plot-legend">
      <span class="filled">${filled.text}</span> <span class="outlined">${outlined.text}</span>
    </p>
    ${note && html`<p class="plot-axis">${note}</p>`}`;
  return html`<${PlotFrame} ...${frame} draw=${draw} below=${legend} />`;
}

/** The outline of the bars. */
function steps(edges, shares, across, up) {
  const bottom = up.at(0);
  const bars = shares.map((share, bin) => `V${up.at(share)}H${across.at(edges[bin + 1])}`);
  return `M${across.at(edges[0])} ${bottom}${bars.join("")}V${bottom}`;
}
