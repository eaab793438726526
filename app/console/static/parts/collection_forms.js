/** Dialogs that create a collection, and change its description and options. */

import { ask, inCollection } from "../core/api.js";
import { note } from "../core/history.js";
import { html, useState } from "../core/html.js";
import { readCollection } from "../core/session.js";
import { t, tWith } from "../core/text.js";
import { errorOf, Field } from "./field.js";
import { Notice } from "./notice.js";
import { RequestForm } from "./request_form.js";

const A_DAY_S = 86_400;
const NAME = "(?!\\.{1,2}$)[A-Za-z0-9._\\-]{1,255}";

/** @param {{onClose: () => void, onDone: (made: any) => void}} props */
export function CreateCollection({ onClose, onDone }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const json = () => ({ name: name.trim(), ...(description.trim() && { description: description.trim() }) });
  const finish = (made) => {
    note(t("system.created_name", { name: made.name }));
    onDone(made);
  };
  return html`<${RequestForm}
    title=${t("system.create")}
    submit=${t("system.create_send")}
    call=${() => ({ method: "POST", path: "collections", json: json() })}
    onClose=${onClose}
    onDone=${finish}
  >
    ${(problem) => html`<${Field} label=${t("system.collection_name")} hint=${t("system.name_hint")} error=${errorOf(problem, "name")}>
        <input
          data-first-focus
          required
          pattern=${NAME}
          maxlength="255"
          autocomplete="off"
          value=${name}
          onInput=${(event) => setName(event.target.value)}
        />
      <//>
      <${Description} value=${description} onValue=${setDescription} problem=${problem} />`}
  <//>`;
}

const Description = ({ value, onValue, problem }) =>
  html`<${Field} label=${t("system.description")} error=${errorOf(problem, "description")}>
    <input maxlength="1000" autocomplete="off" value=${value} onInput=${(event) => onValue(event.target.value)} />
  <//>`;

/** The part of a collection that this form changes, as PATCH takes it. */
const changeable = ({ description, options: { unknowns, crops, people } }) => ({
  description,
  options: {
    unknowns: { keep: unknowns.keep, retention_s: unknowns.retention_s, crops: unknowns.crops },
    crops: { keep: crops.keep },
    people: { require_consent: people.require_consent, longest_retention_s: people.longest_retention_s },
  },
});

/** Seconds of a field of days; null if it is empty. */
const secondsOf = (days) => (days.trim() === "" ? null : Number(days) * A_DAY_S);
const daysOf = (seconds) => (seconds == null ? "" : String(seconds / A_DAY_S));

/** @param {{collection: any, onClose: () => void, onDone: (changed: any) => void}} props */
export function EditCollection({ collection, onClose, onDone }) {
  const former = changeable(collection);
  const { unknowns, crops, people } = former.options;
  const [description, setDescription] = useState(former.description ?? "");
  const [keepUnknowns, setKeepUnknowns] = useState(unknowns.keep ?? false);
  const [days, setDays] = useState(daysOf(unknowns.retention_s));
  const [demanded, setDemanded] = useState(people.require_consent ?? false);
  const [longest, setLongest] = useState(daysOf(people.longest_retention_s));
  const [unknownCrops, setUnknownCrops] = useState(unknowns.crops ?? false);
  const [keepCrops, setKeepCrops] = useState(crops.keep ?? false);
  const path = inCollection(collection.name);
  const call = () => ({
    method: "PATCH",
    path,
    json: {
      description: description.trim() || null,
      options: {
        unknowns: {
          keep: keepUnknowns,
          retention_s: secondsOf(days),
          crops: unknownCrops,
        },
        crops: { keep: keepCrops },
        people: { require_consent: demanded, longest_retention_s: secondsOf(longest) },
      },
    },
  });
  const erasesCrops = (crops.keep && !keepCrops) || (unknowns.crops && !unknownCrops);
  const undo = async () => {
    await ask({ method: "PATCH", path, json: former });
    await readCollection();
    onDone();
  };
  const finish = (changed) => {
    note(t("system.saved_name", { name: collection.name }), { undo: erasesCrops ? undefined : undo });
    onDone(changed);
  };
  const name = () => html`<bdi>${collection.name}</bdi>`;
  return html`<${RequestForm}
    title=${tWith("system.options_of", { name })}
    submit=${t("frame.save")}
    call=${call}
    onClose=${onClose}
    onDone=${finish}
  >
    ${(problem) => html`<${Description} value=${description} onValue=${setDescription} problem=${problem} />
      <h3>${t("system.people")}</h3>
      <label class="check">
        <input type="checkbox" checked=${demanded} onChange=${(event) => setDemanded(event.target.checked)} />
        ${t("system.require_consent")}
      </label>
      <p><small class="muted">${t("system.require_consent_hint")}</small></p>
      <${Field} label=${t("system.longest_retention")} hint=${t("system.longest_retention_hint")} error=${errorOf(problem, "longest_retention_s")}>
        <input type="number" min="1" max="36600" step="any" value=${longest} onInput=${(event) => setLongest(event.target.value)} />
      <//>
      <h3>${t("system.unknown_faces")}</h3>
      <label class="check">
        <input type="checkbox" checked=${keepUnknowns} onChange=${(event) => setKeepUnknowns(event.target.checked)} />
        ${t("system.keep_unknowns")}
      </label>
      <p><small class="muted">${t("system.keep_unknowns_hint")}</small></p>
      <${Field} label=${t("system.retention")} hint=${t("system.retention_hint")} error=${errorOf(problem, "retention_s")}>
        <input type="number" min="0" max="366" step="any" value=${days} onInput=${(event) => setDays(event.target.value)} />
      <//>
      <h3>${t("system.crops")}</h3>
      <label class="check">
        <input type="checkbox" checked=${keepCrops} onChange=${(event) => setKeepCrops(event.target.checked)} />
        ${t("system.keep_crops")}
      </label>
      <label class="check">
        <input type="checkbox" checked=${unknownCrops} onChange=${(event) => setUnknownCrops(event.target.checked)} />
        ${t("system.keep_unknown_crops")}
      </label>
      <p><small class="muted">${t("system.keep_crops_hint")}</small></p>
      ${erasesCrops && html`<${Notice} kind="warning">${t("system.crops_erased")}<//>`}`}
  <//>`;
}
