/** Options of identify, which are in the address: Back and a copied address have the same ones. */

import { html } from "../core/html.js";
import { setQuery } from "../core/router.js";
import { collection, info } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { DraftInput } from "./draft_input.js";
import { Field } from "./field.js";

const LEVELS = ["none", "floor", "low", "auto", "medium", "high"];

/**
 * The fields of the request for the options of an address. `one_in` strangers may be named; a fixed
 * `threshold` goes before it.
 * @param {Record<string, string>} query
 */
export function fieldsOf(query) {
  const oneIn = Number(query.one_in);
  return {
    threshold: query.threshold ?? null,
    target_fpir: query.threshold == null && oneIn > 1 ? 1 / oneIn : null,
    quality_filter: query.quality ?? null,
    filter: query.filter ? JSON.stringify({ attributes: attributesOf(query.filter) }) : null,
    terminal_id: query.terminal ?? null,
    keep_unknown: query.keep === "1",
    liveness: query.liveness === "1" ? true : null,
  };
}

/** Attributes as they are typed: `site=berlin, floor=3`. Numbers, true and false are what they look like. */
export function attributesOf(text) {
  const pairs = text.split(",").map((part) => part.split("="));
  return Object.fromEntries(pairs.map(([name, ...rest]) => [name.trim(), valueOf(rest.join("=").trim())]));
}

const valueOf = (text) => (/^(true|false|-?\d+(\.\d+)?)$/.test(text) ? JSON.parse(text) : text);

/** What is wrong with a text of attributes, or null. */
const faultOf = (text) =>
  text && text.split(",").some((part) => !/^\s*[^=\s][^=]*=.*\S/.test(part)) ? t("identify.filter_fault") : null;

/** Whether the options can be sent. @param {Record<string, string>} query */
export const canSend = (query) => faultOf(query.filter) === null;

/** The level of `quality_filter`. @param {{query: Record<string, string>}} props */
export const QualityFilterField = ({ query }) =>
  html`<${Field} label=${t("identify.quality_filter")} hint=${t("identify.quality_filter_hint")}>
    <select value=${query.quality ?? ""} onChange=${(event) => setQuery({ quality: event.target.value || null })}>
      <option value="">${t("identify.quality_default")}</option>
      ${LEVELS.map((level) => html`<option value=${level}>${t(`identify.level_${level}`)}</option>`)}
    </select>
  <//>`;

/** A rate as one in so many. @param {{label: string, hint: string, value?: string, placeholder: string, disabled: boolean, onCommit: (text: string) => void}} props */
export const OneInField = ({ label, hint, value = "", ...control }) =>
  html`<${Field} label=${label} hint=${hint}>
    <${DraftInput} type="number" min="2" step="1" value=${value} ...${control} />
  <//>`;

/** A similarity that is demanded. @param {{value?: string, placeholder: string | number, onCommit: (text: string) => void}} props */
export const ThresholdField = ({ value = "", ...control }) =>
  html`<${Field} label=${t("identify.threshold")} hint=${t("identify.threshold_hint")}>
    <${DraftInput} type="number" min="-1" max="1" step="any" value=${value} ...${control} />
  <//>`;

/** @param {{query: Record<string, string>, open?: boolean}} props */
export function IdentifyOptions({ query, open = false }) {
  const known = useStore(info);
  const present = useStore(collection);
  const set = (name) => (text) => setQuery({ [name]: text || null });
  const turn = (name) => (event) => setQuery({ [name]: event.target.checked ? "1" : null });
  const { target_fpir: ofCollection, identify_threshold: fixed } = present?.options?.decisions ?? {};
  const oneIn = String(Math.round(1 / (ofCollection ?? known.thresholds.target_fpir)));
  const keeps = present?.options?.unknowns?.keep === true;
  const changed = ["one_in", "threshold", "quality", "filter", "terminal", "keep", "liveness"].some((name) => query[name]);
  return html`<details class="options" open=${open || changed}>
    <summary>${t("identify.options")}</summary>
    <div class="form-grid">
      <${OneInField}
        label=${t("identify.one_in")}
        hint=${t("identify.one_in_hint")}
        placeholder=${fixed == null ? oneIn : ""}
        value=${query.one_in}
        disabled=${query.threshold != null}
        onCommit=${set("one_in")}
      />
      <${ThresholdField}
        placeholder=${fixed ?? known.thresholds.identify ?? ""}
        value=${query.threshold}
        onCommit=${set("threshold")}
      />
      <${QualityFilterField} query=${query} />
      <${Field} label=${t("identify.filter")} hint=${t("identify.filter_hint")} error=${faultOf(query.filter)}>
        <${DraftInput} value=${query.filter ?? ""} autocomplete="off" spellcheck=${false} onCommit=${set("filter")} />
      <//>
      <${Field} label=${t("identify.terminal")} hint=${t("identify.terminal_hint")}>
        <${DraftInput} value=${query.terminal ?? ""} maxlength="64" autocomplete="off" spellcheck=${false} onCommit=${set("terminal")} />
      <//>
    </div>
    <label class="check">
      <input type="checkbox" checked=${query.keep === "1"} onChange=${turn("keep")} />
      <span>${t("identify.keep_unknown")} <small class="muted">${t(keeps ? "identify.keeps" : "identify.keeps_none")}</small></span>
    </label>
    ${known.liveness !== null &&
    html`<label class="check">
      <input type="checkbox" checked=${query.liveness === "1"} onChange=${turn("liveness")} /> ${t("identify.ask_liveness")}
    </label>`}
  </details>`;
}
