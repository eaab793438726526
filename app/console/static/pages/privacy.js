/** Privacy: what is held of a person and leaves on request, what leaves by itself, receipts, and who did what. */

import { html } from "../core/html.js";
import { href } from "../core/router.js";
import { t } from "../core/text.js";
import { PageHead } from "../parts/page_head.js";
import { Tabs } from "../parts/tabs.js";
import { Audit } from "./privacy/audit.js";
import { KeptReceipts } from "./privacy/kept_receipts.js";
import { Requests } from "./privacy/requests.js";
import { Retention } from "./privacy/retention.js";

const TABS = { requests: Requests, retention: Retention, receipts: KeptReceipts, audit: Audit };

export default function Privacy({ args, collection }) {
  const [name = "requests"] = args;
  const present = name in TABS ? name : "requests";
  const Content = TABS[present];
  const tabs = Object.keys(TABS).map((tab) => ({
    name: tab,
    text: t(`privacy.tab_${tab}`),
    href: href("privacy", { args: [tab] }),
  }));
  return html`<${PageHead} title=${t("privacy.title")} lead=${t("privacy.lead")} />
    <${Tabs} label=${t("privacy.title")} tabs=${tabs} present=${present} />
    <${Content} collection=${collection} />`;
}
