/** Components: Preact, its hooks, and htm's templates, from one place. */

import { Fragment, h, render } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export * from "../vendor/hooks.js";
export { Fragment, h, render };

/** A template: html`<p class=${name}>${text}</p>`. Values are text, never markup. */
export const html = htm.bind(h);
