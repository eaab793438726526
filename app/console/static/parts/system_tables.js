/** Small tables of the load: stages of a request, calls that block, decisions. */

import { count, duration, significant } from "../core/format.js";
import { html } from "../core/html.js";
import { hasText, t } from "../core/text.js";
import { Table } from "./table.js";

/** The page's word for a word of the service, or that itself. */
const word = (kind, name) => (hasText(`system.${kind}_${name}`) ? t(`system.${kind}_${name}`) : name);

const numeric = (name, text, cell) => ({ name, text, cell, numeric: true });

function Card({ name, columns, rows, keyOf, note }) {
  return html`<section class="card" aria-labelledby=${`system-${name}`}>
    <h2 id=${`system-${name}`}>${t(`system.${name}`)}</h2>
    ${rows.length === 0
      ? html`<p class="muted">${t("system.nothing_yet")}</p>`
      : html`<${Table} caption=${t(`system.${name}`)} columns=${columns} rows=${rows} keyOf=${keyOf} kind="compact" />`}
    ${note && html`<p><small class="muted">${note}</small></p>`}
  </section>`;
}

const STAGES = ["decode", "queue", "detect", "embed", "liveness", "search"];

export function Stages({ stats }) {
  const rows = STAGES.filter((stage) => stage in stats.stages).map((stage) => ({ stage, ...stats.stages[stage] }));
  const columns = [
    { name: "stage", text: t("system.stage"), heads: true, cell: (row) => html`<${Stage} row=${row} batch=${stats.mean_batch_sizes[row.stage]} />` },
    numeric("p50", "p50", (row) => duration(row.p50_ms)),
    numeric("p95", "p95", (row) => duration(row.p95_ms)),
    numeric("p99", "p99", (row) => duration(row.p99_ms)),
  ];
  return html`<${Card} name="stages" columns=${columns} rows=${rows} keyOf=${({ stage }) => stage} note=${t("system.stages_note")} />`;
}

const Stage = ({ row, batch }) =>
  html`${word("stage", row.stage)}<br /><small class="muted">
      ${t("system.times", { count: row.count })}${batch != null && ` · ${t("system.batch", { size: significant(batch) })}`}
    </small>`;

export function Threads({ stats }) {
  const rows = Object.entries(stats.threads).map(([kind, calls]) => ({ kind, ...calls }));
  const columns = [
    { name: "kind", text: t("system.kind"), heads: true, cell: ({ kind }) => word("thread", kind) },
    numeric("running", t("system.running"), (row) => count(row.running)),
    numeric("waiting", t("system.waiting"), (row) => count(row.waiting)),
    numeric("refused", t("system.refused"), (row) => count(row.refused)),
  ];
  return html`<${Card} name="threads" columns=${columns} rows=${rows} keyOf=${({ kind }) => kind} note=${t("system.threads_note")} />`;
}

export function Decisions({ stats }) {
  const rows = Object.entries(stats.decisions).flatMap(([operation, outcomes]) =>
    Object.entries(outcomes).map(([outcome, times]) => ({ operation, outcome, times })),
  );
  const columns = [
    {
      name: "operation",
      text: t("system.operation"),
      heads: true,
      cell: ({ operation, outcome }) => html`<code>${operation}</code> · ${word("outcome", outcome)}`,
    },
    numeric("times", t("system.count"), (row) => count(row.times)),
  ];
  const keyOf = ({ operation, outcome }) => `${operation} ${outcome}`;
  return html`<${Card} name="decisions" columns=${columns} rows=${rows} keyOf=${keyOf} note=${t("system.since_start_note")} />`;
}
