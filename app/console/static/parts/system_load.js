/** The load of the service: numbers of now with their last 15 minutes, and tables. */

import { bytes, count, fromNow, significant } from "../core/format.js";
import { html } from "../core/html.js";
import { setQuery } from "../core/router.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { Field } from "./field.js";
import { Notice, ProblemNotice } from "./notice.js";
import { Sparkline } from "./sparkline.js";
import { Routes } from "./system_routes.js";
import { EVERY_MS, SPAN_MS, STATS, useStats } from "./system_samples.js";
import { Decisions, Stages, Threads } from "./system_tables.js";

const GAP_MS = 5 * EVERY_MS; // of a page that was not seen

export function Load({ query, collection }) {
  const { processes, problem } = useStats();
  const pid = processes.has(Number(query.pid)) ? Number(query.pid) : latestOf(processes);
  const shown = processes.get(pid);
  // That the service does not answer at all is said above the page.
  return html`<${ProblemNotice} problem=${problem?.isOffline ? null : problem} />
    ${shown && html`<${Process} pid=${pid} processes=${processes} query=${query} collection=${collection} />`}`;
}

/** The process that answered first of those that are there: the page does not jump between them. */
const latestOf = (processes) => processes.keys().next().value;

function Process({ pid, processes, query, collection }) {
  const { stats, at, samples } = processes.get(pid);
  const several = processes.size > 1;
  return html`<div class="row system-process">
      ${several
        ? html`<${Field} label=${t("system.process")}>
            <select value=${pid} onChange=${(event) => setQuery({ pid: event.target.value })}>
              ${[...processes.keys()].map((one) => html`<option value=${one}>${t("system.pid", { pid: String(one) })}</option>`)}
            </select>
          <//>`
        : html`<span class="muted">${t("system.pid", { pid: String(pid) })}</span>`}
      <span class="muted">
        ${t("system.up_since", { since: fromNow(at - 1000 * stats.uptime_s) })}
        ${several && ` · ${t("system.of_several", { count: processes.size, answered: fromNow(at) })}`}
      </span>
      <${AsRequestButton} call=${STATS} />
    </div>
    ${stats.problems.length > 0 &&
    html`<${Notice} kind="danger" title=${t("system.problems")}>${stats.problems.map((code) => html`<code>${code}</code> `)}<//>`}
    <${Tiles} stats=${stats} samples=${samples} />
    <${Routes} ...${{ stats, samples, query, collection }} />
    <div class="columns">
      <${Stages} stats=${stats} />
      <${Threads} stats=${stats} />
      <${Decisions} stats=${stats} />
    </div>`;
}

function Tiles({ stats, samples }) {
  const { queue, index } = stats;
  const behind = index.revisions_behind;
  const device = stats.device_memory_bytes;
  return html`<ul class="tiles">
    <${Tile}
      name="requests_per_s"
      samples=${samples}
      value=${significant(stats.requests_per_s)}
      note=${t("system.over_last_minute")}
    />
    <${Tile}
      name="requests_in_progress"
      samples=${samples}
      value=${count(stats.requests_in_progress)}
      note=${t("system.connections", { count: stats.open_connections })}
    />
    <${Tile}
      name="photos_pending"
      samples=${samples}
      most=${queue.photo_capacity}
      value=${count(queue.photos_pending)}
      note=${t("system.of_capacity", { capacity: queue.photo_capacity })}
    />
    <${Tile}
      name="resident_bytes"
      samples=${samples}
      value=${stats.resident_bytes == null ? "—" : bytes(stats.resident_bytes)}
      note=${device == null ? stats.device : t("system.device_memory", { device: stats.device, size: bytes(device) })}
    />
    <${Tile}
      name="revisions_behind"
      samples=${samples}
      most=${10}
      value=${behind == null ? "—" : t("system.revisions", { count: behind })}
      note=${t("system.index_faces", { count: index.faces })}
    />
  </ul>`;
}

const Tile = ({ name, samples, value, note, most }) =>
  html`<li class="card tile">
    <h2>${t(`system.${name}`)}</h2>
    <p class="figure">${value}</p>
    <${Sparkline}
      samples=${samples.map((sample) => ({ at: sample.at, value: sample[name] }))}
      spanMs=${SPAN_MS}
      gapMs=${GAP_MS}
      most=${most}
    />
    <small class="muted">${note}</small>
  </li>`;
