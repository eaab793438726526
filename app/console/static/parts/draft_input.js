/** A field that changes something when it is left or Enter is pressed, not with each key. */

import { useDraft } from "../core/draft.js";
import { html } from "../core/html.js";

/**
 * `onCommit` takes the text, without spaces around it; all else goes to the field.
 * @param {{value: string, onCommit: (text: string) => void}} props
 */
export function DraftInput({ value, onCommit, ...control }) {
  const { texts, set, discard } = useDraft({ value });
  const commit = (event) => {
    discard(); // else a text that means the same value would stay as it was typed
    onCommit(event.target.value.trim());
  };
  return html`<input ...${control} value=${texts.value} onInput=${(event) => set("value")(event.target.value)} onChange=${commit} />`;
}
