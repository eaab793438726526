/** Fields of the thresholds, each with what it means in the measured curve. */

import { count, similarity as cosine } from "../core/format.js";
import { html, useId } from "../core/html.js";
import { t, tWith } from "../core/text.js";
import { errorOf } from "./field.js";
import { FixedRate, Needed, NeededFor, verifyNeeds } from "./thresholds_meaning.js";
import { marginOf, rateOf, similarityOf } from "./thresholds_draft.js";

const written = (similarity) => cosine(similarity, 4);

/** A choice by radio button; `text` may hold a number field, and typing there chooses it. */
const Choice = ({ name, isChosen, onChoose, children }) =>
  html`<label class="check choice">
    <input type="radio" name=${name} checked=${isChosen} onChange=${onChoose} />
    <span>${children}</span>
  </label>`;

/** A number within a sentence. Its error stands below. */
function NumberIn({ label, value, onValue, isWrong, errorId, ...bounds }) {
  return html`<input
    type="number"
    class="in-text"
    step="any"
    aria-label=${label}
    aria-invalid=${isWrong ? "true" : undefined}
    aria-describedby=${isWrong ? errorId : undefined}
    value=${value}
    onInput=${(event) => onValue(event.target.value)}
    ...${bounds}
  />`;
}

/** The three ways to decide: as the service does, by a rate, by a fixed similarity. */
function Operation({ name, legend, draft, defaults, problem, onChange, children }) {
  const id = useId();
  const { by, oneIn, similarity } = draft[name];
  const target = { identify: "target_fpir", verify: "target_fmr" }[name];
  const wrong = { rate: by === "rate" && rateOf(draft[name]) === null, fixed: by === "fixed" && similarityOf(draft[name]) === null };
  const refused = errorOf(problem, target) ?? errorOf(problem, `${name}_threshold`);
  const error = wrong.rate ? t("thresholds.rate_error") : wrong.fixed ? t("thresholds.similarity_error") : refused;
  const choose = (value) => () => onChange({ by: value });
  const fixedByService = defaults[name] != null && name === "identify";
  return html`<fieldset>
    <legend>${legend}</legend>
    <${Choice} name=${id} isChosen=${by === "service"} onChoose=${choose("service")}>
      ${fixedByService
        ? t("thresholds.service_similarity", { similarity: written(defaults[name]) })
        : t("thresholds.service_rate", { one_in: count(Math.round(1 / defaults[target])) })}
    <//>
    <${Choice} name=${id} isChosen=${by === "rate"} onChoose=${choose("rate")}>
      ${tWith(`thresholds.${name}_rate`, {
        number: () => html`<${NumberIn}
          label=${t(`thresholds.${name}_rate_label`)}
          min="1"
          value=${oneIn}
          isWrong=${wrong.rate}
          errorId=${`${id}-error`}
          onValue=${(text) => onChange({ by: "rate", oneIn: text })}
        />`,
      })}
    <//>
    <${Choice} name=${id} isChosen=${by === "fixed"} onChoose=${choose("fixed")}>
      ${tWith("thresholds.fixed", {
        number: () => html`<${NumberIn}
          label=${t(`thresholds.${name}_fixed_label`)}
          min="-1"
          max="1"
          value=${similarity}
          isWrong=${wrong.fixed}
          errorId=${`${id}-error`}
          onValue=${(text) => onChange({ by: "fixed", similarity: text })}
        />`,
      })}
    <//>
    ${error && html`<p id=${`${id}-error`} class="error">${error}</p>`}
    ${children}
  </fieldset>`;
}

/** Whether the default rate is no choice of the operator, so that identify needs what verify needs. */
const isCautious = ({ in_use: { identify, verify } }, decisions) =>
  decisions.target_fpir != null || decisions.identify_threshold != null || !(identify < verify);

/** Who may be named among all people. `people` is what is typed, `planned` that as a number. */
export function IdentifyFields({ people, planned, onPeople, ...shared }) {
  const { draft, defaults, curve } = shared;
  const { by } = draft.identify;
  const isFixed = by === "fixed" || (by === "service" && defaults.identify != null);
  const least = curve && by === "service" && isCautious(curve, shared.decisions) ? verifyNeeds(draft, defaults, curve.points) : null;
  const among = () => html`<${NumberIn} label=${t("thresholds.people_label")} min="1" value=${people} onValue=${onPeople} isWrong=${planned === null} />`;
  return html`<${Operation} name="identify" legend=${t("thresholds.identify")} ...${shared}>
    ${curve && isFixed && curve.at && html`<${FixedRate} at=${curve.at} among=${among} />`}
    ${curve && !isFixed && html`<${Needed} ...${{ curve, planned, among, least }} />`}
  <//>`;
}

/** Whether two photos show one person. */
export function VerifyFields(shared) {
  return html`<${Operation} name="verify" legend=${t("thresholds.verify")} ...${shared}>
    ${shared.curve && html`<${NeededFor} draft=${shared.draft} defaults=${shared.defaults} curve=${shared.curve} />`}
  <//>`;
}

/** When two people are too alike to choose one. */
export function MarginFields({ draft, curve, problem, onChange }) {
  const id = useId();
  const { by, value } = draft.margin;
  const isWrong = by === "fixed" && marginOf(draft.margin) === null;
  const error = isWrong ? t("thresholds.margin_error") : errorOf(problem, "margin");
  const present = curve?.in_use.margin;
  return html`<fieldset>
    <legend>${t("thresholds.margin")}</legend>
    <${Choice} name=${id} isChosen=${by === "measured"} onChoose=${() => onChange({ by: "measured" })}>
      ${t("thresholds.margin_measured")}
    <//>
    <${Choice} name=${id} isChosen=${by === "fixed"} onChoose=${() => onChange({ by: "fixed" })}>
      ${tWith("thresholds.margin_fixed", {
        number: () => html`<${NumberIn}
          label=${t("thresholds.margin_label")}
          min="0"
          max="2"
          ...${{ value, isWrong }}
          errorId=${`${id}-error`}
          onValue=${(text) => onChange({ by: "fixed", value: text })}
        />`,
      })}
    <//>
    ${error && html`<p id=${`${id}-error`} class="error">${error}</p>`}
    <p>${t("thresholds.margin_text")}</p>
    ${present != null && html`<p class="muted">${t("thresholds.margin_now", { margin: written(present) })}</p>`}
  </fieldset>`;
}
