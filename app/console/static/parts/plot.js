/**
 * Plots of a line with its 95 % interval as a band, in the colours of the theme. What lies beyond the
 * data is dashed.
 */

import { html, useState } from "../core/html.js";
import { t } from "../core/text.js";
import { Axes, PlotFrame, rangesOf } from "./plot_frame.js";
import { extent, scaleOf } from "./plot_scale.js";

/**
 * @typedef {object} PlotPoint
 * @property {number} x
 * @property {number | null} y null: a gap
 * @property {number} [low] of the 95 % interval
 * @property {number} [high]
 * @property {boolean} [beyond] whether it is an estimate beyond the data
 */

/**
 * @param {object} props as those of `PlotFrame`, and
 * @param {PlotPoint[]} props.points by ascending x
 * @param {{x: number, y: number, text: string}[]} [props.marks] places on the line
 * @param {(point: PlotPoint) => string} [props.read] what is written of the point under the pointer
 */
export function Plot({ points, marks = [], read, ...frame }) {
  const { x, y } = frame;
  const [pointed, setPointed] = useState(null);
  const scales = (area) => {
    const ranges = rangesOf(area);
    const values = points.flatMap((point) => [point.y, point.low, point.high]);
    return {
      across: scaleOf(x.domain ?? extent(points.map((point) => point.x)), ranges.across, x),
      up: scaleOf(y.domain ?? extent(values), ranges.up, y),
    };
  };
  const draw = (area) => {
    const { across, up } = scales(area);
    const shape = { across, up, points: within(points, up.domain) };
    return html`<${Axes} ...${{ area, across, up, x, y }} />
      <path class="plot-band" d=${band(shape)} />
      <path class="plot-line" d=${line(shape, false)} />
      <path class="plot-line beyond" d=${line(shape, true)} />
      ${marks.map((mark) => html`<${Mark} x=${across.at(mark.x)} y=${up.at(mark.y)} area=${area} text=${mark.text} />`)}
      ${pointed?.y != null && html`<circle class="plot-pointed" cx=${across.at(pointed.x)} cy=${up.at(pointed.y)} r="4" />`}`;
  };
  return html`<${PlotFrame}
    ...${frame}
    draw=${draw}
    onPoint=${read && ((left, area) => setPointed(left === null ? null : nearest(points, scales(area).across, left)))}
    below=${read && html`<p class="plot-read" aria-hidden="true">${pointed ? read(pointed) : t("frame.plot_read")}</p>`}
  />`;
}

/** Lines from both axes to a place on the line, with a text beside it. */
const Mark = ({ x, y, area: { bottom, rem, width }, text }) =>
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
