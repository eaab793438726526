/** Begin: words, key, route, the page; then the first request. */

import { html, render } from "./core/html.js";
import { startKeys } from "./core/keys.js";
import { followTheme } from "./core/prefs.js";
import { startRouter } from "./core/router.js";
import { startSession } from "./core/session.js";
import { startTexts } from "./core/text.js";
import { Frame } from "./parts/frame.js";

followTheme();
await Promise.all([startTexts(), startKeys()]);
startRouter();
render(html`<${Frame} />`, document.getElementById("app"));
await startSession();
