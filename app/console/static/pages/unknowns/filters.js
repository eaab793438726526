/** The order of the list, and how often a group was seen at least: both are in the address. */

import { html } from "../../core/html.js";
import { setQuery } from "../../core/router.js";
import { t } from "../../core/text.js";
import { DraftInput } from "../../parts/draft_input.js";
import { Field } from "../../parts/field.js";

const ORDERS = ["newest", "largest"];
const FROM_THE_START = { after: null, before: null, group: null };

/** @param {{order: string, minCount: number | null, children?: unknown}} props */
export const Filters = ({ order, minCount, children }) =>
  html`<div class="queue-filters row">
    <${Field} label=${t("unknowns.order")}>
      <select value=${order} onChange=${({ target }) => setQuery({ order: target.value, ...FROM_THE_START })}>
        ${ORDERS.map((one) => html`<option key=${one} value=${one}>${t(`unknowns.order_${one}`)}</option>`)}
      </select>
    <//>
    <${Field} label=${t("unknowns.min_count")}>
      <${DraftInput}
        type="number"
        min="1"
        value=${String(minCount ?? 1)}
        onCommit=${(text) => {
          const least = Math.round(Number(text));
          setQuery({ min_count: least > 1 ? least : null, ...FROM_THE_START });
        }}
      />
    <//>
    ${children}
  </div>`;
