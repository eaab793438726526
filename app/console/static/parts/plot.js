/**
 * Plots: a line with its 95 % interval as a band, in the colours of the theme. What lies beyond the
 * data is dashed. The same numbers are in a table, which screen readers read.
 */

import { html, useEffect, useId, useRef, useState } from "../core/html.js";
import { t } from "../core/text.js";
import { extent, scaleOf } from "./plot_scale.js";
import { Table } from "./table.js";

/**
 * @typedef {object} PlotPoint
 * @property {number} x
 * @property {number | null} y null: a gap
 * @property {number} [low] of the 95 % interval
 * @property {number} [high]
 * @property {boolean} [beyond] whether it is an estimate beyond the data
 *
 * @typedef {object} PlotAxis
 * @property {string} label
 * @property {(value: number) => string} format
 * @property {boolean} [log]
 * @property {[number, number]} [domain]
 */

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string} [props.summary] what is seen, in a sentence, for those who do not see it
 * @param {PlotAxis} props.x
 * @param {PlotAxis} props.y
 * @param {PlotPoint[]} props.points by ascending x
 * @param {{x: number, y: number, text: string}[]} [props.marks] places on the line
 * @param {(point: PlotPoint) => string} [props.read] what is written of the point under the pointer
 * @param {{columns: import("./table.js").Column<any>[], rows: any[], keyOf: (row: any) => string}} props.table
 */
export function Plot({ title, summary, x, y, points, marks = [], read, table }) {
  const id = useId();
  const [place, { width, rem }] = useSize();
  const [pointed, setPointed] = useState(null);
  const height = Math.max(14 * rem, Math.min(20 * rem, 0.5 * width));
  const bottom = height - 1.75 * rem;
  const across = scaleOf(x.domain ?? extent(points.map((point) => point.x)), [0.25 * rem, width - 0.5 * rem], x);
  const values = points.flatMap((point) => [point.y, point.low, point.high]);
  const up = scaleOf(y.domain ?? extent(values), [bottom, 1.5 * rem], y);
  const shape = { across, up, points: within(points, up.domain) };
  const point = (event) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    setPointed(nearest(points, across, event.clientX - left));
  };
  return html`<figure class="plot" ref=${place}>
    <figcaption id=${id}>${title}</figcaption>
    <p class="plot-axis">${y.label}</p>
    <svg
      role="img"
      aria-labelledby=${id}
      aria-describedby=${summary ? `${id}-summary` : undefined}
      viewBox=${`0 0 ${width} ${height}`}
      height=${height}
      onPointerMove=${read && point}
      onPointerLeave=${() => setPointed(null)}
    >
      <g class="plot-grid">
        ${across.ticks(width / (5 * rem)).map((value) => html`<${XTick} at=${across.at(value)} ...${{ bottom, rem, width }} text=${x.format(value)} />`)}
        ${up.ticks(6).map((value) => html`<path d=${`M0 ${up.at(value)}H${width}`} />`)}
      </g>
      <path class="plot-band" d=${band(shape)} />
      <path class="plot-line" d=${line(shape, false)} />
      <path class="plot-line beyond" d=${line(shape, true)} />
      <g class="plot-ticks">
        ${up.ticks(6).map((value) => html`<text x=${0} y=${up.at(value) - 0.25 * rem}>${y.format(value)}</text>`)}
      </g>
      ${marks.map((mark) => html`<${Mark} x=${across.at(mark.x)} y=${up.at(mark.y)} ...${{ bottom, rem, width }} text=${mark.text} />`)}
      ${pointed?.y != null && html`<circle class="plot-pointed" cx=${across.at(pointed.x)} cy=${up.at(pointed.y)} r="4" />`}
    </svg>
    <p class="plot-axis end">${x.label}</p>
    ${read && html`<p class="plot-read" aria-hidden="true">${pointed ? read(pointed) : t("frame.plot_read")}</p>`}
    ${summary && html`<p id=${`${id}-summary`} class="visually-hidden">${summary}</p>`}
    <details>
      <summary>${t("frame.plot_table")}</summary>
      <${Table} caption=${title} ...${table} />
    </details>
  </figure>`;
}

const XTick = ({ at, bottom, rem, width, text }) =>
  html`<path d=${`M${at} ${bottom}v${0.3 * rem}`} />
    <text x=${at} y=${bottom + 1.3 * rem} text-anchor=${anchor(at, width, rem)}>${text}</text>`;

/** Lines from both axes to a place on the line, with a text beside it. */
const Mark = ({ x, y, bottom, rem, width, text }) =>
  html`<g class="plot-mark">
    <path d=${`M0 ${y}H${x}V${bottom}`} />
    <circle cx=${x} cy=${y} r="5" />
    <text
      x=${x + (x > width / 2 ? -0.6 : 0.6) * rem}
      y=${Math.max(1.2 * rem, y - 0.6 * rem)}
      text-anchor=${x > width / 2 ? "end" : "start"}
    >
      ${text}
    </text>
  </g>`;

const anchor = (at, width, rem) => (at < 2 * rem ? "start" : at > width - 2 * rem ? "end" : "middle");

/** Points with rates that lie on the scale; those of 0 have no place on a logarithmic one. */
const within = (points, [least, most]) => {
  const clamp = (value) => (value == null ? value : Math.min(most, Math.max(least, value)));
  return points.map((point) => ({ ...point, y: clamp(point.y), low: clamp(point.low), high: clamp(point.high) }));
};

/** The path through the points that are, or are not, beyond the data; the two parts meet. */
function line({ across, up, points }, beyond) {
  let path = "";
  points.forEach((point, index) => {
    const before = points[index - 1];
    if (before === undefined || before.y == null || point.y == null || Boolean(point.beyond) !== beyond) return;
    const follows = path !== "" && points[index - 2]?.y != null && Boolean(before.beyond) === beyond;
    if (!follows) path += `M${across.at(before.x)} ${up.at(before.y)}`;
    path += `L${across.at(point.x)} ${up.at(point.y)}`;
  });
  return path;
}

/** The area of the intervals. */
function band({ across, up, points }) {
  const wide = points.filter(({ low, high }) => low != null && high != null);
  if (wide.length < 2) return "";
  const edge = (value) => (point) => `${across.at(point.x)} ${up.at(value(point))}`;
  const above = wide.map(edge(({ high }) => high));
  const below = wide.map(edge(({ low }) => low)).reverse();
  return `M${[...above, ...below].join("L")}Z`;
}

function nearest(points, across, pixel) {
  let best = null;
  for (const point of points) {
    const distance = Math.abs(across.at(point.x) - pixel);
    if (best === null || distance < best.distance) best = { point, distance };
  }
  return best?.point ?? null;
}

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
