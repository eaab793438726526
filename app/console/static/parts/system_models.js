/** The networks that the service knows, with their licences; and the rollout of another embedder. */

import { ask } from "../core/api.js";
import { similarity } from "../core/format.js";
import { html } from "../core/html.js";
import { useLoaded } from "../core/loading.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { ProblemNotice } from "./notice.js";
import { Rollout } from "./system_rollout.js";
import { Table } from "./table.js";

const CALL = { path: "models" };
const USUAL_FMR = "0.001";

export function Models({ collection }) {
  const { data, problem, reload } = useLoaded((signal) => ask({ ...CALL, signal }), []);
  return html`<${ProblemNotice} problem=${problem} onRetry=${reload} />
    <${Rollout} collection=${collection} />
    ${data && html`<${Networks} kind="embedders" rows=${data.models} columns=${embedderColumns()} />`}
    ${data && html`<${Networks} kind="detectors" rows=${data.detectors} columns=${detectorColumns()} />`}
    ${data && html`<p><${AsRequestButton} call=${CALL} /></p>`}`;
}

function Networks({ kind, rows, columns }) {
  const first = [...rows].sort((a, b) => b.active - a.active);
  return html`<section class="card" aria-labelledby=${`system-${kind}`}>
    <h2 id=${`system-${kind}`}>${t(`system.${kind}`)}</h2>
    <${Table}
      caption=${t(`system.${kind}`)}
      columns=${columns}
      rows=${first}
      keyOf=${({ name }) => name}
      isSelected=${({ active }) => active}
      kind="wide"
    />
  </section>`;
}

const named = () => ({
  name: "name",
  text: t("system.network"),
  heads: true,
  cell: ({ name, description, active }) =>
    html`<strong>${name}</strong> ${active && html`<span class="status match">${t("system.runs_here")}</span>`}
      <br /><small class="muted">${description}</small>`,
});

const licence = () => ({ name: "license", text: t("system.licence"), cell: ({ license }) => license });
const training = () => ({ name: "training", text: t("system.training_data"), cell: (row) => html`<small>${row.training_data}</small>` });

const embedderColumns = () => [
  named(),
  licence(),
  training(),
  { name: "dimension", text: t("system.dimension"), numeric: true, cell: ({ dimension }) => dimension ?? "—" },
  {
    name: "threshold",
    text: t("system.needs_at_usual_fmr"),
    numeric: true,
    cell: (row) => similarity(row.similarity_at_fmr[USUAL_FMR]),
  },
  {
    name: "runtime",
    text: t("system.runtime"),
    cell: ({ runtime, precision }) => (runtime ? `${runtime}, ${precision}` : "—"),
  },
];

const detectorColumns = () => [
  named(),
  licence(),
  training(),
  { name: "score", text: t("system.score"), cell: ({ score }) => html`<small>${score}</small>` },
];
