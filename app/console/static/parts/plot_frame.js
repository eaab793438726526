/** What all plots have: a title, axes with their names, and the numbers in a table. */

import { html, useEffect, useId, useRef, useState } from "../core/html.js";
import { t } from "../core/text.js";
import { Table } from "./table.js";

/**
 * @typedef {object} PlotAxis
 * @property {string} label
 * @property {(value: number) => string} format
 * @property {boolean} [log]
 * @property {[number, number]} [domain]
 *
 * @typedef {object} PlotArea in pixels
 * @property {number} width
 * @property {number} height
 * @property {number} rem
 * @property {number} bottom where the x axis is
 */

/**
 * The frame of a plot. `draw` makes what is in its area; `summary` is what is seen, in a sentence,
 * for those who do not see it.
 * @param {object} props
 * @param {string} props.title
 * @param {string} [props.summary]
 * @param {PlotAxis} props.x
 * @param {PlotAxis} props.y
 * @param {(area: PlotArea) => unknown} props.draw
 * @param {(left: number | null, area: PlotArea) => void} [props.onPoint] where the pointer is; null: elsewhere
 * @param {unknown} [props.below] what stands between the plot and its table
 * @param {{columns: import("./table.js").Column<any>[], rows: any[], keyOf: (row: any) => string}} props.table
 */
export function PlotFrame({ title, summary, x, y, draw, onPoint, below, table }) {
  const id = useId();
  const [place, { width, rem }] = useSize();
  const height = Math.max(14 * rem, Math.min(20 * rem, 0.5 * width));
  const area = { width, height, rem, bottom: height - 1.75 * rem };
  const point = (event) => onPoint(event.clientX - event.currentTarget.getBoundingClientRect().left, area);
  return html`<figure class="plot" ref=${place}>
    <figcaption id=${id}>${title}</figcaption>
    <p class="plot-axis">${y.label}</p>
    <svg
      role="img"
      aria-labelledby=${id}
      aria-describedby=${summary ? `${id}-summary` : undefined}
      viewBox=${`0 0 ${width} ${height}`}
      height=${height}
      onPointerMove=${onPoint && point}
      onPointerLeave=${onPoint && (() => onPoint(null, area))}
    >
      ${draw(area)}
    </svg>
    <p class="plot-axis end">${x.label}</p>
    ${below} ${summary && html`<p id=${`${id}-summary`} class="visually-hidden">${summary}</p>`}
    <details>
      <summary>${t("frame.plot_table")}</summary>
      <${Table} caption=${title} ...${table} />
    </details>
  </figure>`;
}

/** Lines across the plot, ticks and their numbers; those of y stand on their lines, within the plot. */
export const Axes = ({ area: { width, rem, bottom }, across, up, x, y }) =>
  html`<g class="plot-grid">
      ${across.ticks(width / (5 * rem)).map((value) => {
        const at = across.at(value);
        return html`<path d=${`M${at} ${bottom}v${0.3 * rem}`} />
          <text x=${at} y=${bottom + 1.3 * rem} text-anchor=${anchor(at, width, rem)}>${x.format(value)}</text>`;
      })}
      ${up.ticks(6).map((value) => html`<path d=${`M0 ${up.at(value)}H${width}`} />`)}
    </g>
    <g class="plot-ticks">
      ${up.ticks(6).map((value) => html`<text x=${0} y=${up.at(value) - 0.25 * rem}>${y.format(value)}</text>`)}
    </g>`;

const anchor = (at, width, rem) => (at < 2 * rem ? "start" : at > width - 2 * rem ? "end" : "middle");

/** Where the values of a plot are, in pixels from left to right and from bottom to top. */
export const rangesOf = ({ width, rem, bottom }) => ({ across: [0.25 * rem, width - 0.5 * rem], up: [bottom, 1.5 * rem] });

/** The width of an element and of 1 rem, in pixels, so that text has its size at every width. */
function useSize() {
  const place = useRef(null);
  const [size, setSize] = useState({ width: 560, rem: 16 });
  useEffect(() => {
    const watch = new ResizeObserver(([{ contentRect }]) => {
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      if (contentRect.width > 0) setSize({ width: contentRect.width, rem });
    });
    watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return [place, size];
}
