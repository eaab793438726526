/** Enroll many: folders of people, or a CSV with photos. First a preview; nothing is sent before Start. */

import { chosenFiles, droppedFiles } from "../core/dropped_folders.js";
import { html, useRef, useState } from "../core/html.js";
import { useAction } from "../core/loading.js";
import { href } from "../core/router.js";
import { info } from "../core/session.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { Notice, ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { beginJob, job } from "./enroll_many/job.js";
import { planOf } from "./enroll_many/plan.js";
import { Preview } from "./enroll_many/preview.js";
import { Running } from "./enroll_many/running.js";

export default function EnrollMany({ collection }) {
  const running = useStore(job);
  const [plan, setPlan] = useState(null);
  const read = useAction(async (files) => setPlan(await planOf(await files, info.get())));
  const elsewhere = running !== null && running.collection !== collection;
  return html`<${PageHead} title=${t("enroll_many.title")} lead=${t("enroll_many.lead")}>
      <a class="button" href=${href("enroll")}>${t("enroll_many.one")}</a>
    <//>
    <${ProblemNotice} problem=${read.problem} />
    ${elsewhere &&
    html`<${Notice}>
      ${t("enroll_many.elsewhere", { name: running.collection })}${" "}
      <a href=${href("enroll_many", { collection: running.collection })}>${t("enroll_many.elsewhere_go")}</a>
    <//>`}
    ${running !== null && !elsewhere
      ? html`<${Running} job=${running} />`
      : plan !== null
        ? html`<${Preview}
            plan=${plan}
            onStart=${(consent) => {
              beginJob(plan, collection, info.get().limits, consent);
              setPlan(null);
            }}
            onDrop=${() => setPlan(null)}
            mayStart=${running === null}
          />`
        : html`<${Folders} busy=${read.busy} onFiles=${read.run} /><${Explanation} />`}`;
}

/** Where folders are dropped or chosen. `onFiles` gets them, or a promise of them. */
function Folders({ busy, onFiles }) {
  const [over, setOver] = useState(false);
  const folder = useRef(null);
  const several = useRef(null);
  return html`<div
    class=${over ? "drop over" : "drop"}
    aria-busy=${busy ? "true" : undefined}
    onDragOver=${(event) => {
      event.preventDefault();
      setOver(true);
    }}
    onDragLeave=${() => setOver(false)}
    onDrop=${(event) => {
      event.preventDefault();
      setOver(false);
      onFiles(droppedFiles(event.dataTransfer));
    }}
  >
    <p>${busy ? t("enroll_many.reading") : t("enroll_many.drop")}</p>
    <p class="row">
      <button type="button" class="primary" disabled=${busy} onClick=${() => folder.current.click()}>
        ${t("enroll_many.choose_folder")}
      </button>
      <button type="button" disabled=${busy} onClick=${() => several.current.click()}>
        ${t("enroll_many.choose_files")}
      </button>
    </p>
    <input
      ref=${folder}
      type="file"
      hidden
      webkitdirectory
      aria-label=${t("enroll_many.choose_folder")}
      onChange=${(event) => onFiles(chosenFiles(event.target.files))}
    />
    <input
      ref=${several}
      type="file"
      hidden
      multiple
      aria-label=${t("enroll_many.choose_files")}
      onChange=${(event) => onFiles(chosenFiles(event.target.files))}
    />
  </div>`;
}

const Explanation = () =>
  html`<div class="columns explanation">
    <section class="card">
      <h2>${t("enroll_many.by_folder")}</h2>
      <p>${t("enroll_many.by_folder_text")}</p>
      <pre tabindex="0">
people/
  ada_king/
    1.jpg
    2.jpg
  grace_hopper/
    portrait.png</pre>
    </section>
    <section class="card">
      <h2>${t("enroll_many.by_list")}</h2>
      <p>${t("enroll_many.by_list_text")}</p>
      <pre tabindex="0">
file,name,external_id,site
1042.jpg,Ada King,emp-1042,berlin
0007.jpg,Grace Hopper,emp-0007,oslo</pre>
    </section>
  </div>`;
