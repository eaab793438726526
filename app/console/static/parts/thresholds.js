/** Thresholds of a collection: the form, the plots, and what they rest on. */

import { ask, inCollection } from "../core/api.js";
import { ifStill } from "../core/draft.js";
import { note } from "../core/history.js";
import { html, useEffect, useState } from "../core/html.js";
import { useAction, useLoaded } from "../core/loading.js";
import { askBeforeLeaving } from "../core/router.js";
import { readCollection } from "../core/session.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "./as_request_button.js";
import { ProblemNotice } from "./notice.js";
import { Basis } from "./thresholds_basis.js";
import { changesOf, draftOf, isComplete, rateOf, similarityOf } from "./thresholds_draft.js";
import { IdentifyFields, MarginFields, VerifyFields } from "./thresholds_fields.js";
import { Plots } from "./thresholds_plots.js";

/** @param {{collection: any, defaults: any, query: Record<string, string>}} props */
export function Thresholds({ collection, defaults, query }) {
  const path = inCollection(collection.name);
  const { decisions } = collection.options;
  const [draft, setDraft] = useState(() => draftOf(decisions, defaults));
  const [people, setPeople] = useState(String(Math.max(1, collection.identity_count)));
  const changes = changesOf(draft, decisions);
  const planned = Number(people) >= 1 ? Math.round(Number(people)) : null;
  const call = curveCall(path, draft, defaults, planned, query.of);
  const curve = useLoaded((signal) => ask({ ...call, signal }), [JSON.stringify(call.query)]);
  const change = (name) => (part) => setDraft((former) => ({ ...former, [name]: { ...former[name], ...part } }));

  const saveCall = { method: "PATCH", path, json: { options: { decisions: changes ?? {} } } };
  const follow = async () => {
    await readCollection();
    curve.reload();
  };
  const save = useAction(async () => {
    const former = Object.fromEntries(Object.keys(changes).map((name) => [name, decisions[name] ?? null]));
    const undo = async () => {
      const { options } = await ask({ ...saveCall, json: { options: { decisions: former } } });
      setDraft(draftOf(options.decisions, defaults));
      await follow();
    };
    const { options } = await ask(saveCall);
    setDraft(ifStill(draft, draftOf(options.decisions, defaults)));
    note(t("thresholds.saved", { name: collection.name }), { undo });
    await follow();
  });
  const dirty = changes !== null;
  useEffect(() => (dirty ? askBeforeLeaving(() => t("thresholds.unsaved")) : undefined), [dirty]);
  const send = (event) => {
    event.preventDefault();
    if (dirty && isComplete(draft)) save.run();
  };
  const shared = { draft, defaults, curve: curve.data, problem: save.problem };
  return html`<form class="card" onSubmit=${send}>
      <div class="thresholds">
        <${IdentifyFields} ...${shared} onChange=${change("identify")} ...${{ people, planned, collection, decisions }} onPeople=${setPeople} />
        <${VerifyFields} ...${shared} onChange=${change("verify")} />
        <${MarginFields} ...${shared} onChange=${change("margin")} />
      </div>
      <${ProblemNotice} problem=${save.problem} />
      <p class="row">
        <button needs="admin" class="primary" disabled=${!dirty || !isComplete(draft) || save.busy}>${t("frame.save")}</button>
        <button type="button" disabled=${!dirty} onClick=${() => setDraft(draftOf(decisions, defaults))}>
          ${t("thresholds.discard")}
        </button>
        <span class="muted" role="status">${dirty ? t("thresholds.unsaved") : t("thresholds.all_saved")}</span>
        <${AsRequestButton} call=${saveCall} />
      </p>
    </form>
    <${ProblemNotice} problem=${curve.problem} onRetry=${curve.reload} />
    ${curve.data && html`<${Plots} curve=${curve.data} draft=${draft} defaults=${defaults} planned=${planned} busy=${curve.busy} call=${call} />`}
    <${Basis} curve=${curve.data} collection=${collection} query=${query} onChange=${follow} />`;
}

/** The curve for what is typed: the service computes the thresholds, the page draws them. */
function curveCall(path, draft, defaults, people, of) {
  const { identify } = draft;
  const fixed = identify.by === "fixed" ? similarityOf(identify) : identify.by === "service" ? defaults.identify : null;
  return {
    path: `${path}/calibration/curve`,
    query: {
      target_fpir: identify.by === "service" ? defaults.target_fpir : rateOf(identify),
      people,
      similarity: fixed,
      of: of === "embedder" ? of : null,
    },
  };
}
