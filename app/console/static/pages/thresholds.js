/** What counts as a match in this collection: typed as error rates, with the curves behind them. */

import { html } from "../core/html.js";
import { info, collection as present } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { Thresholds } from "../parts/thresholds.js";

export default function Page({ query }) {
  const of = useStore(present);
  const known = useStore(info);
  return html`<${PageHead} title=${t("thresholds.title")} lead=${t("thresholds.lead")} />
    ${of?.problem && html`<${ProblemNotice} problem=${of.problem} />`}
    ${of?.options && html`<${Thresholds} key=${of.name} collection=${of} defaults=${known.thresholds} query=${query} />`}`;
}
