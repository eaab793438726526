/** Requests by route: how many, how long they take, and what they are answered. */

import { count, duration, significant } from "../core/format.js";
import { html } from "../core/html.js";
import { setQuery } from "../core/router.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Empty } from "./empty.js";
import { Sparkline } from "./sparkline.js";
import { callOf } from "./system_requests.js";
import { EVERY_MS, SPAN_MS } from "./system_samples.js";
import { inOrder, orderOf, Table } from "./table.js";

/** @param {{stats: any, samples: any[], query: Record<string, string>, collection: string}} props */
export function Routes({ stats, samples, query, collection }) {
  const sinceStart = query.since === "start";
  const order = orderOf(query, "-p95");
  const columns = columnsOf(samples, collection);
  const rows = inOrder(rowsOf(stats, sinceStart), columns, order);
  return html`<section class="card" aria-labelledby="system-routes">
    <header class="row spread">
      <h2 id="system-routes">${t("system.routes")}</h2>
      <label class="check">
        <input
          type="checkbox"
          checked=${sinceStart}
          onChange=${(event) => setQuery({ since: event.target.checked ? "start" : null })}
        />
        ${t("system.since_start")}
      </label>
    </header>
    ${rows.length === 0
      ? html`<${Empty} text=${t("system.no_routes")} />`
      : html`<${Table}
          caption=${sinceStart ? t("system.routes_since_start") : t("system.routes_lately")}
          columns=${columns}
          rows=${rows}
          keyOf=${({ route }) => route}
          order=${order}
          kind="wide"
        />`}
  </section>`;
}

/** Routes of the last five minutes; or all, with what they were answered since the start. */
function rowsOf({ routes, statuses }, sinceStart) {
  if (!sinceStart) return Object.entries(routes).map(([route, times]) => ({ route, ...times }));
  return Object.entries(statuses).map(([route, counted]) => ({
    route,
    ...routes[route],
    count: counted.count,
    statuses: counted,
  }));
}

function columnsOf(samples, collection) {
  const number = (name, text, value, cell) => ({ name, text, value, cell: (row) => cell(value(row)), numeric: true });
  return [
    { name: "route", text: t("system.route"), heads: true, value: ({ route }) => route, cell: ({ route }) => html`<code>${route}</code>` },
    number("rate", t("system.per_s"), (row) => row.requests_per_s, significant),
    number("count", t("system.count"), (row) => row.count, count),
    number("p50", "p50", (row) => row.p50_ms, duration),
    number("p95", "p95", (row) => row.p95_ms, duration),
    number("p99", "p99", (row) => row.p99_ms, duration),
    {
      name: "lately",
      text: t("system.p95_lately"),
      cell: ({ route }) =>
        html`<${Sparkline}
          samples=${samples.map(({ at, p95_ms }) => ({ at, value: p95_ms[route] }))}
          spanMs=${SPAN_MS}
          gapMs=${5 * EVERY_MS}
        />`,
    },
    {
      name: "failed",
      text: t("system.statuses"),
      numeric: true, // sorted by how many failed
      value: ({ statuses }) => failed(statuses) / statuses.count,
      cell: ({ statuses }) => html`<${Statuses} statuses=${statuses} />`,
    },
    { name: "request", text: t("frame.as_request"), quiet: true, cell: ({ route }) => html`<${Request} ...${{ route, collection }} />` },
  ];
}

const failed = ({ by_class: classes }) => (classes["4xx"] ?? 0) + (classes["5xx"] ?? 0) + (classes.aborted ?? 0);

const Statuses = ({ statuses }) =>
  html`<span class="statuses">
    ${Object.entries(statuses.by_status).map(
      ([status, times]) =>
        html`<span key=${status} class=${`answered s${status[0]}`}>${status === "aborted" ? t("system.aborted") : status} × ${count(times)}</span> `,
    )}
  </span>`;

function Request({ route, collection }) {
  const call = callOf(route, collection);
  return call && html`<${AsRequestButton} call=${call} />`;
}
