/** The frame of all pages: navigation, what is wrong, the page, toasts. */

import { html, useEffect, useState } from "../core/html.js";
import { keyDemand } from "../core/keys.js";
import { announcement } from "../core/live.js";
import { entryOf, loadPage, presentPage } from "../core/pages.js";
import { prefs } from "../core/prefs.js";
import { href, useRoute } from "../core/router.js";
import { lacking, reasonId, reasonOf } from "../core/rights.js";
import { info, me } from "../core/session.js";
import { useStore } from "../core/store.js";
import { language, t } from "../core/text.js";
import { Banners } from "./banners.js";
import { Empty } from "./empty.js";
import { Header } from "./header.js";
import { KeyForm } from "./key_form.js";
import { Leaving } from "./leaving.js";
import { ProblemNotice } from "./notice.js";
import { PageHead } from "./page_head.js";
import { Toasts } from "./toasts.js";

export function Frame() {
  useStore(language); // all words are drawn anew
  useStore(prefs);
  const { needed } = useStore(keyDemand);
  const known = useStore(info);
  useStore(me); // controls are by its rights
  return html`<a class="skip" href="#main" onClick=${skip}>${t("frame.skip")}</a>
    <${Header} />
    <${Banners} />
    <main id="main" tabindex="-1">
      ${needed ? html`<${KeyForm} />` : known !== null && html`<${Page} />`}
    </main>
    <${Leaving} />
    <${Toasts} />
    <${LiveRegion} />
    <div hidden>${lacking().map((right) => html`<span key=${right} id=${reasonId(right)}>${reasonOf(right)}</span>`)}</div>`;
}

function skip(event) {
  event.preventDefault(); // the address behind # is the page's
  document.getElementById("page-title")?.focus();
}

/** The page of the present route. It takes the focus when its address changes to another page. */
function Page() {
  const present = useRoute();
  const { page, args, query, collection } = present;
  const place = [collection, page, ...args].join("/");
  const exists = entryOf(page) !== undefined;
  const [, drawAgain] = useState(0);
  const [problem, setProblem] = useState(null);
  const Content = presentPage(page);
  const load = () => {
    setProblem(null);
    loadPage(page).then(() => drawAgain((times) => times + 1), setProblem);
  };
  useEffect(() => {
    if (exists && Content === undefined) load();
  }, [page]);
  const ready = Content !== undefined;
  useEffect(() => {
    if (!ready) return;
    const title = document.getElementById("page-title");
    document.title = `${title?.textContent ?? page} · Vultus`;
    if (!isFirst) title?.focus({ preventScroll: true });
    if (!isFirst) scrollTo({ top: 0, behavior: "instant" });
    isFirst = false;
  }, [place, ready]);
  if (!exists) {
    return html`<${PageHead} title=${t("frame.no_page")} />
      <${Empty} text=${t("frame.no_page_text", { page })}>
        <a class="button primary" href=${href("start")}>${t("frame.nav_start")}</a>
      <//>`;
  }
  if (problem) return html`<${ProblemNotice} problem=${problem} onRetry=${load} />`;
  if (!ready) return null;
  return html`<${Content} key=${place} args=${args} query=${query} collection=${collection} />`;
}

let isFirst = true; // the browser itself places the focus when the page is opened

const LiveRegion = () =>
  html`<div class="visually-hidden" role="status" aria-live="polite">${useStore(announcement)}</div>`;
