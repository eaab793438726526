/** The style sheets of all pages but Start, which are asked for with the first of these pages. */

const SHEETS = ["identify", "plot", "people", "enroll", "enroll_many", "privacy", "system", "thresholds", "queue"];
const PRINT = document.querySelector('link[href$="/print.css"]');
let asked = null;

/** Load them once. A sheet that does not come leaves its page plain, and usable. */
export function loadStyles() {
  asked ??= Promise.all(SHEETS.map(load));
  return asked;
}

const load = (name) =>
  new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = `./style/${name}.css`;
    link.onload = resolve;
    link.onerror = resolve;
    PRINT.before(link); // which changes all others on paper
  });
