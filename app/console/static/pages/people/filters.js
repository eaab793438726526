/** Who is listed: by the beginning of a name or id, by an attribute, by when people leave. */

import { html, useEffect, useRef, useState } from "../../core/html.js";
import { readValue } from "../../core/json_text.js";
import { setQuery } from "../../core/router.js";
import { t } from "../../core/text.js";
import { DraftInput } from "../../parts/draft_input.js";
import { Field } from "../../parts/field.js";
import { useSettled } from "../../parts/person_picker.js";

const RULES = ["equals", "prefix", "suffix"];
const FIRST_PAGE = { after: null, before: null };

/** The filter of an address as the service takes it: {q, attributes, expires_before}, those given. */
export function queryOf({ q, attributes, leaves }) {
  const until = leaves ? new Date(`${leaves}T00:00`) : null; // the beginning of that day, here
  return {
    ...(q && { q }),
    ...(attributes && { attributes }),
    ...(until && !Number.isNaN(until.getTime()) && { expires_before: until.toISOString() }),
  };
}

/** @param {{query: Record<string, string>, find: {current: HTMLInputElement | null}}} props */
export function Filters({ query, find }) {
  const more = Boolean(query.attributes || query.leaves);
  return html`<search class="people-filters">
    <${Find} query=${query} find=${find} />
    <details open=${more}>
      <summary>${t("people.more_filters")}</summary>
      <div class="form-grid">
        <${AttributeFilter} key=${query.attributes} query=${query} />
        <${Field} label=${t("people.leaves_before")}>
          <${DraftInput} type="date" value=${query.leaves ?? ""} onCommit=${(text) => setQuery({ ...FIRST_PAGE, leaves: text || null })} />
        <//>
      </div>
      ${more &&
      html`<button type="button" class="small" onClick=${() => setQuery({ ...FIRST_PAGE, attributes: null, leaves: null })}>
        ${t("people.no_filters")}
      </button>`}
    </details>
  </search>`;
}

/** The search field: the list follows it when it stands still for a moment. */
function Find({ query, find }) {
  const [text, setText] = useState(query.q ?? "");
  const sent = useRef(query.q ?? "");
  const settled = useSettled(text.trim());
  useEffect(() => {
    if (settled === sent.current) return;
    sent.current = settled;
    setQuery({ ...FIRST_PAGE, q: settled || null });
  }, [settled]);
  useEffect(() => {
    if ((query.q ?? "") === sent.current) return;
    sent.current = query.q ?? ""; // another address, by Back
    setText(query.q ?? "");
  }, [query.q]);
  return html`<${Field} label=${t("people.find")} hint=${t("people.find_hint")}>
    <input ref=${find} type="search" autocomplete="off" value=${text} onInput=${(event) => setText(event.target.value)} />
  <//>`;
}

/** One condition on one attribute. The address may hold several, which are shown as they are. */
function AttributeFilter({ query }) {
  const [present] = useState(() => conditionOf(query.attributes));
  const [key, setKey] = useState(present.key);
  const [rule, setRule] = useState(present.rule);
  const [value, setValue] = useState(present.value);
  const apply = (event) => {
    event.preventDefault();
    const wanted = rule === "equals" ? readValue(value) : { [rule]: value };
    setQuery({ ...FIRST_PAGE, attributes: key.trim() ? JSON.stringify({ [key.trim()]: wanted }) : null });
  };
  return html`<form class="attribute-filter" onSubmit=${apply}>
    <${Field} label=${t("people.attribute")}>
      <input value=${key} autocomplete="off" autocapitalize="off" onInput=${(event) => setKey(event.target.value)} />
    <//>
    <select aria-label=${t("people.rule")} value=${rule} onChange=${(event) => setRule(event.target.value)}>
      ${RULES.map((one) => html`<option value=${one}>${t(`people.rule_${one}`)}</option>`)}
    </select>
    <${Field} label=${t("people.value")} hint=${rule === "equals" && t("people.value_hint")}>
      <input value=${value} autocomplete="off" autocapitalize="off" onInput=${(event) => setValue(event.target.value)} />
    <//>
    <button type="submit">${t("people.apply")}</button>
  </form>`;
}

function conditionOf(text) {
  const nothing = { key: "", rule: "equals", value: "" };
  try {
    const [[key, wanted]] = Object.entries(JSON.parse(text ?? ""));
    const [rule, value] = wanted !== null && typeof wanted === "object" ? Object.entries(wanted)[0] : ["equals", wanted];
    if (!RULES.includes(rule)) return nothing;
    return { key, rule, value: typeof value === "string" && readValue(value) === value ? value : JSON.stringify(value) };
  } catch {
    return nothing; // none, or one that was typed into the address
  }
}
