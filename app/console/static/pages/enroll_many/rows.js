/** What became of each person. */

import { count } from "../../core/format.js";
import { html, useState } from "../../core/html.js";
import { href } from "../../core/router.js";
import { hasText, t } from "../../core/text.js";
import { sentenceOf } from "../../parts/notice.js";
import { Similarity } from "../../parts/similarity.js";
import { Table } from "../../parts/table.js";
import { CompareRow } from "./compare_row.js";
import { sendAgain } from "./job.js";

const FILTERS = {
  all: () => true,
  waiting: ({ state }) => state === "waiting" || state === "sending",
  enrolled: ({ state }) => state === "enrolled" || state === "known",
  refused: ({ state, refused }) => refused.length > 0 || state === "refused" || state === "failed",
  resembles: ({ state }) => state === "resembles",
};
const STEP = 100;

export function Rows({ job }) {
  const [filter, setFilter] = useState("all");
  const [shown, setShown] = useState(STEP);
  const [compared, setCompared] = useState(null);
  const wanted = job.rows.filter(FILTERS[filter]);
  return html`<p class="row">
      <label class="row">
        ${t("enroll_many.show")}
        <select value=${filter} onChange=${(event) => setFilter(event.target.value)}>
          ${Object.keys(FILTERS).map(
            (name) => html`<option value=${name}>${t(`enroll_many.show_${name}`, { count: job.rows.filter(FILTERS[name]).length })}</option>`,
          )}
        </select>
      </label>
    </p>
    <${Table}
      caption=${t("enroll_many.people_table")}
      rows=${wanted.slice(0, shown)}
      keyOf=${({ id }) => String(id)}
      columns=${[
        { name: "name", text: t("enroll_many.person"), heads: true, cell: NameCell },
        { name: "photos", text: t("enroll_many.photo_count"), numeric: true, cell: ({ person }) => count(person.photos.length) },
        { name: "state", text: t("enroll_many.state"), cell: StateCell },
        {
          name: "actions",
          text: t("enroll_many.actions"),
          quiet: true,
          cell: (row) => html`<${Actions} row=${row} onCompare=${() => setCompared(row)} />`,
        },
      ]}
    />
    ${wanted.length > shown &&
    html`<p><button type="button" onClick=${() => setShown(shown + STEP)}>
      ${t("enroll_many.show_more", { count: wanted.length - shown })}
    </button></p>`}
    ${compared && html`<${CompareRow} row=${compared} onClose=${() => setCompared(null)} />`}`;
}

const NameCell = ({ person, identityId, state }) =>
  identityId !== null && !identityId.startsWith("ext:") && (state === "enrolled" || state === "known")
    ? html`<a href=${href("person", { args: [identityId] })}><bdi>${person.name}</bdi></a>`
    : html`<bdi>${person.name}</bdi>`;

function StateCell(row) {
  const { state, newFaces, refused, resemblance, problem } = row;
  return html`<div class="many-state">
    <span>${t(`enroll_many.row_${state}`, { count: newFaces, name: resemblance?.name ?? t("frame.nameless") })}</span>
    ${state === "resembles" && html`<${Similarity} value=${resemblance.similarity} threshold=${resemblance.threshold} withheld />`}
    ${problem && html`<span class="error">${sentenceOf(problem)}</span>`}
    ${refused.length > 0 &&
    state !== "resembles" &&
    html`<details>
      <summary>${t("enroll_many.refused_photos", { count: refused.length, reasons: reasonsOf(refused) })}</summary>
      <ul>
        ${refused.map(({ path, detail }) => html`<li key=${path}><bdi>${path}</bdi>: ${detail}</li>`)}
      </ul>
    </details>`}
  </div>`;
}

/** The reasons of all photos, each once: in words where the page has them, else the codes. */
function reasonsOf(refused) {
  const codes = [...new Set(refused.flatMap(({ reasons }) => reasons))];
  return codes.map((code) => (hasText(`frame.reason_${code}`) ? t(`frame.reason_${code}`) : code)).join(", ");
}

function Actions({ row, onCompare }) {
  if (row.state === "resembles") {
    return html`<button type="button" class="small" onClick=${onCompare}>${t("enroll_many.compare")}</button>`;
  }
  if (row.state === "failed") {
    return html`<button type="button" class="small" onClick=${() => sendAgain([row.id], row.rules)}>
      ${t("frame.try_again")}
    </button>`;
  }
  return null;
}
