/** Identify: who is on a photo, or before the camera; whether two faces are one person; quality. */

import { html } from "../core/html.js";
import { href } from "../core/router.js";
import { t } from "../core/text.js";
import { PageHead } from "../parts/page_head.js";
import { Tabs } from "../parts/tabs.js";
import { CameraTab } from "./identify/camera_tab.js";
import { PhotoTab } from "./identify/photo_tab.js";
import { QualityTab } from "./identify/quality_tab.js";
import { TwoFacesTab } from "./identify/two_faces_tab.js";

const TABS = { photo: PhotoTab, camera: CameraTab, two: TwoFacesTab, quality: QualityTab };

/** @param {{args: string[], query: Record<string, string>, collection: string}} props */
export default function Page({ args, query, collection }) {
  const present = args[0] in TABS ? args[0] : "photo";
  const Tab = TABS[present];
  const tabs = Object.keys(TABS).map((name) => ({
    name,
    text: t(`identify.tab_${name}`),
    href: href("identify", { args: name === "photo" ? [] : [name], query }),
  }));
  return html`<${PageHead} title=${t(`identify.title_${present}`)} lead=${t(`identify.lead_${present}`)} />
    <${Tabs} label=${t("identify.tabs")} tabs=${tabs} present=${present} />
    <${Tab} collection=${collection} query=${query} />`;
}
