/** A place to drop photos on, with a button beside it for those who do not drag. */

import { html, useRef, useState } from "../core/html.js";
import { may } from "../core/rights.js";
import { t } from "../core/text.js";

/**
 * @param {object} props
 * @param {(files: File[]) => void} props.onFiles
 * @param {string} [props.needs] the right without which nothing is taken
 * @param {string} [props.text] what to drop
 * @param {string} [props.button]
 * @param {boolean} [props.multiple]
 * @param {string} [props.accept]
 * @param {boolean} [props.compact]
 * @param {unknown} [props.children] what is shown in it instead of the text
 */
export function Drop({ onFiles, needs, text, button, multiple = false, accept = "image/*", compact = false, children }) {
  const [over, setOver] = useState(false);
  const input = useRef(null);
  const take = (list) => {
    const files = needs === undefined || may(needs) ? [...list] : [];
    if (files.length > 0) onFiles(multiple ? files : files.slice(0, 1));
  };
  return html`<div
    class=${`drop ${over ? "over" : ""} ${compact ? "compact" : ""}`}
    onDragOver=${(event) => {
      event.preventDefault();
      setOver(true);
    }}
    onDragLeave=${() => setOver(false)}
    onDrop=${(event) => {
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer.files);
    }}
  >
    ${children}
    <p class="row">
      <button needs=${needs} type="button" onClick=${() => input.current.click()}>
        ${button ?? t(multiple ? "frame.choose_photos" : "frame.choose_photo")}
      </button>
      <span>${text ?? t(multiple ? "frame.or_drop_photos" : "frame.or_drop_photo")}</span>
    </p>
    <input
      ref=${input}
      type="file"
      hidden
      accept=${accept}
      multiple=${multiple}
      aria-label=${button ?? t("frame.choose_photo")}
      onChange=${(event) => {
        take(event.target.files);
        event.target.value = ""; // the same file may be chosen again
      }}
    />
  </div>`;
}
