/** A button that asks for a photo; with `capture`, phones open their camera app, even without https. */

import { html, useRef } from "../core/html.js";
import { t } from "../core/text.js";

/**
 * @param {{onFile: (file: File) => void, text?: string, capture?: boolean, primary?: boolean, needs?: string}} props
 */
export function PhotoButton({ onFile, text = t("frame.choose_photo"), capture = false, primary = false, needs }) {
  const input = useRef(null);
  return html`<button needs=${needs} type="button" class=${primary ? "primary" : undefined} onClick=${() => input.current.click()}>
      ${text}
    </button>
    <input
      ref=${input}
      type="file"
      hidden
      accept="image/*"
      capture=${capture ? "user" : undefined}
      aria-label=${text}
      onChange=${(event) => {
        const [file] = event.target.files;
        event.target.value = ""; // the same file may be chosen again
        if (file) onFile(file);
      }}
    />`;
}
