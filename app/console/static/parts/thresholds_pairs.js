/** Pairs of photos by similarity, as they were counted: of different people, and of one person. */

import { count, significant, similarity as cosine } from "../core/format.js";
import { html } from "../core/html.js";
import { t } from "../core/text.js";
import { Histogram } from "./histogram.js";

const FEW = 2000; // pairs; fewer are counted in wider bins
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** @param {{histograms: {edges: number[], impostors: number[], genuine: number[]}, threshold: number | null}} props */
export function Pairs({ histograms, threshold }) {
  const totals = { impostors: sum(histograms.impostors), genuine: sum(histograms.genuine) };
  const { edges, impostors, genuine } = shown(histograms, totals.genuine < FEW ? 5 : 2);
  const shares = (counts, total) => counts.map((number) => number / (total || 1));
  const rows = impostors
    .map((number, bin) => ({ from: edges[bin], to: edges[bin + 1], impostors: number, genuine: genuine[bin] }))
    .filter((row) => row.impostors + row.genuine > 0);
  return html`<${Histogram}
    title=${t("thresholds.plot_pairs")}
    summary=${t("thresholds.plot_pairs_summary")}
    note=${t("thresholds.plot_pairs_note")}
    x=${{ label: t("thresholds.axis_similarity"), format: significant }}
    y=${{ label: t("thresholds.axis_share"), format: significant }}
    edges=${edges}
    filled=${{ text: t("thresholds.impostors", { count: totals.impostors }), shares: shares(impostors, totals.impostors) }}
    outlined=${{ text: t("thresholds.genuine", { count: totals.genuine }), shares: shares(genuine, totals.genuine) }}
    mark=${threshold === null ? null : { x: threshold, text: cosine(threshold, 4) }}
    table=${{
      rows,
      keyOf: ({ from }) => String(from),
      columns: [
        {
          name: "similarity",
          text: t("thresholds.axis_similarity"),
          heads: true,
          cell: ({ from, to }) => t("thresholds.from_to", { low: cosine(from, 2), high: cosine(to, 2) }),
        },
        { name: "impostors", text: t("thresholds.different_people"), numeric: true, cell: (row) => count(row.impostors) },
        { name: "genuine", text: t("thresholds.one_person"), numeric: true, cell: (row) => count(row.genuine) },
      ],
    }}
  />`;
}

/** Bins joined by `width`, without the empty ones at both ends. */
function shown({ edges, impostors, genuine }, width) {
  const join = (counts) => {
    const joined = [];
    for (let bin = 0; bin < counts.length; bin += width) joined.push(sum(counts.slice(bin, bin + width)));
    return joined;
  };
  const [a, b] = [join(impostors), join(genuine)];
  const used = (bin) => a[bin] + b[bin] > 0;
  const bins = a.map((_, bin) => bin).filter(used);
  const [first, last] = [bins[0] ?? 0, bins.at(-1) ?? a.length - 1];
  return {
    edges: edges.filter((_, edge) => edge % width === 0).slice(first, last + 2),
    impostors: a.slice(first, last + 1),
    genuine: b.slice(first, last + 1),
  };
}
