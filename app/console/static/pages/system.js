/** How the service is doing, what it runs, and its collections. */

import { html } from "../core/html.js";
import { href } from "../core/router.js";
import { t } from "../core/text.js";
import { PageHead } from "../parts/page_head.js";
import { CollectionList } from "../parts/system_collections.js";
import { Load } from "../parts/system_load.js";
import { Models } from "../parts/system_models.js";
import { ServiceFacts } from "../parts/system_service.js";
import { Tabs } from "../parts/tabs.js";

const TABS = { load: Load, collections: CollectionList, models: Models, service: ServiceFacts };

export default function Page({ query, collection }) {
  const present = query.tab in TABS ? query.tab : "load";
  const Content = TABS[present];
  return html`<${PageHead} title=${t("system.title")} lead=${t("system.lead")}>
      <a class="button" href=${href("keys")}>${t("frame.keys")}</a>
      <a class="button" href=${href("webhooks")}>${t("system.webhooks")}</a>
      <a class="button" href="../docs" target="_blank" rel="noopener">${t("frame.api_documentation")}</a>
    <//>
    <${Tabs}
      label=${t("system.tabs")}
      present=${present}
      tabs=${Object.keys(TABS).map((name) => ({ name, text: t(`system.tab_${name}`), href: href("system", { query: { tab: name } }) }))}
    />
    <${Content} key=${present} query=${query} collection=${collection} />`;
}
