/** To be written. */

import { html } from "../core/html.js";
import { t } from "../core/text.js";
import { PageHead } from "../parts/page_head.js";

export default function Page() {
  return html`<${PageHead} title=${t("enroll.title")} />`;
}
