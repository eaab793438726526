/** The plots: the false match rate by similarity, the similarity needed by people, the pairs counted. */

import { count, rate, significant, similarity as cosine } from "../core/format.js";
import { html } from "../core/html.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Plot } from "./plot.js";
import { rateAt, similarityAt } from "./rate_curve.js";
import { inWords } from "./thresholds_meaning.js";
import { Pairs } from "./thresholds_pairs.js";

const LEAST_SHOWN = 1e-9;
const written = (similarity) => cosine(similarity, 4);

/** @param {{curve: any, call: any, planned: number | null, busy: boolean}} props */
export function Plots({ curve, call, planned, busy }) {
  return html`<section class="card" aria-labelledby="thresholds-curves" aria-busy=${busy ? "true" : undefined}>
    <header class="row spread">
      <h2 id="thresholds-curves">${t("thresholds.curves")}</h2>
      <${AsRequestButton} call=${call} />
    </header>
    <p class="muted">${t("thresholds.curves_note", { similarity: written(curve.data_ends) })}</p>
    <div class="columns">
      <${Rates} curve=${curve} planned=${planned} />
      <${Sizes} curve=${curve} planned=${planned} />
      ${curve.histograms && html`<${Pairs} histograms=${curve.histograms} threshold=${neededIn(curve, planned)} />`}
    </div>
  </section>`;
}

/** The similarity that is needed among so many people; null where the measurements support none. */
function neededIn(curve, planned) {
  const row = curve.needed.find(({ people }) => people === planned);
  return row?.reached ? row.threshold : null;
}

const basisOf = ({ extrapolated }) => t(extrapolated ? "thresholds.basis_estimated" : "thresholds.basis_measured");

function Rates({ curve, planned }) {
  const { points, data_ends: dataEnds } = curve;
  const drawn = points.filter(({ fmr }) => fmr.value < 0.95 && fmr.value > LEAST_SHOWN);
  const plotted = drawn.map(({ similarity, fmr }) => ({
    x: similarity,
    y: fmr.value,
    low: fmr.low,
    high: fmr.high,
    beyond: fmr.extrapolated,
  }));
  const needed = neededIn(curve, planned);
  const marks =
    needed !== null && needed >= plotted[0].x && needed <= plotted.at(-1).x
      ? [{ x: needed, y: rateAt(points, dataEnds, needed).value, text: written(needed) }]
      : [];
  const rows = [1, 2, 3, 4, 5, 6, 7, 8]
    .map((power) => similarityAt(points, 10 ** -power))
    .filter((similarity) => similarity !== null)
    .map((similarity) => ({ similarity, ...rateAt(points, dataEnds, similarity) }));
  return html`<${Plot}
    title=${t("thresholds.plot_rates")}
    summary=${t("thresholds.plot_rates_summary", { similarity: written(dataEnds) })}
    x=${{ label: t("thresholds.axis_similarity"), format: significant }}
    y=${{ label: t("thresholds.axis_rate"), format: inWords, log: true, domain: [Math.min(...plotted.map(({ y }) => y)), 1] }}
    points=${plotted}
    marks=${marks}
    read=${({ x, y, low, high, beyond }) =>
      t("thresholds.read_rate", {
        similarity: written(x),
        rate: inWords(y),
        low: inWords(low),
        high: inWords(high),
        basis: basisOf({ extrapolated: beyond }),
      })}
    table=${{
      rows,
      keyOf: ({ similarity }) => String(similarity),
      columns: [
        { name: "similarity", text: t("thresholds.axis_similarity"), heads: true, cell: ({ similarity }) => written(similarity) },
        { name: "rate", text: t("thresholds.rate"), cell: ({ value }) => inWords(value) },
        { name: "interval", text: t("thresholds.interval"), cell: ({ low, high }) => t("thresholds.from_to", { low: inWords(low), high: inWords(high) }) },
        { name: "basis", text: t("thresholds.basis_is"), cell: basisOf },
      ],
    }}
  />`;
}

function Sizes({ curve, planned }) {
  const { needed, target_fpir: target } = curve;
  const reached = needed.filter((row) => row.reached);
  const row = reached.find(({ people }) => people === planned);
  const title = t("thresholds.plot_sizes", { rate: rate(target) });
  return html`<${Plot}
    title=${title}
    summary=${t("thresholds.plot_sizes_summary", { rate: rate(target), people: count(reached.at(-1)?.people ?? 0) })}
    x=${{ label: t("thresholds.axis_people"), format: short, log: true, domain: [1, needed.at(-1).people] }}
    y=${{ label: t("thresholds.axis_needed"), format: significant }}
    points=${needed.map(({ people, threshold, reached: isReached, extrapolated }) => ({
      x: people,
      y: isReached ? threshold : null,
      beyond: extrapolated,
    }))}
    marks=${row ? [{ x: row.people, y: row.threshold, text: written(row.threshold) }] : []}
    read=${({ x, y, beyond }) =>
      y === null
        ? t("thresholds.read_none", { people: count(x) })
        : t("thresholds.read_size", { people: count(x), similarity: written(y), basis: basisOf({ extrapolated: beyond }) })}
    table=${{
      rows: needed,
      keyOf: ({ people }) => String(people),
      columns: [
        { name: "people", text: t("thresholds.axis_people"), heads: true, cell: ({ people }) => count(people) },
        { name: "needed", text: t("thresholds.axis_needed"), cell: (one) => (one.reached ? written(one.threshold) : t("thresholds.none_reaches")) },
        { name: "interval", text: t("thresholds.interval_of_rate"), cell: ({ reached: isReached, fpir }) => (isReached ? t("thresholds.from_to", { low: inWords(fpir.low), high: inWords(fpir.high) }) : "—") },
        { name: "basis", text: t("thresholds.basis_is"), cell: (one) => (one.reached ? basisOf(one) : "—") },
      ],
    }}
  />`;
}

const short = (value) => count(value, { notation: "compact" });
