/**
 * Finding a person by the beginning of a name or id, by keyboard or pointer, with a face beside
 * each name. The list is not a popup: inside a dialog a popup would be cut off.
 */

import { ask, inCollection } from "../core/api.js";
import { html, useEffect, useId, useRef, useState } from "../core/html.js";
import { announce } from "../core/live.js";
import { useLoaded } from "../core/loading.js";
import { route } from "../core/router.js";
import { loadTexts, t } from "../core/text.js";
import { ProblemNotice } from "./notice.js";
import { nameOf, PersonName, PersonThumb } from "./person_name.js";

await loadTexts("people_parts");

const SHOWN = 8;
const PAUSE_MS = 150; // typing on is not searched for

/** A value that stands still: it follows another one after a pause. */
export function useSettled(value, pauseMs = PAUSE_MS) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/**
 * @param {object} props
 * @param {(person: object) => void} props.onPick with the person as the service answers it
 * @param {string} [props.label]
 * @param {string[]} [props.exclude] ids that are not offered
 * @param {boolean} [props.first] whether it has the focus when its dialog opens
 * @param {string} [props.collection]
 */
export function PersonPicker({ onPick, label, exclude = [], first = false, collection }) {
  const id = useId();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(null);
  const taken = useRef(false); // Enter was pressed before the list was that of the text
  const field = useRef(null);
  const q = useSettled(text.trim());
  const path = inCollection(collection ?? route.get().collection, "identities");
  const query = { q: q || null, limit: SHOWN + exclude.length };
  const { data, problem, busy, reload } = useLoaded(
    async (signal) => ({ ...(await ask({ path, query, signal })), of: q }),
    [path, q],
  );
  const found = (data?.identities ?? []).filter((one) => !exclude.includes(one.id)).slice(0, SHOWN);
  const settled = data?.of === text.trim(); // whether the list is that of the text
  useEffect(() => {
    if (first) field.current.focus();
  }, []);
  useEffect(() => setAt(0), [q]);
  useEffect(() => {
    if (!settled || !taken.current) return;
    taken.current = false;
    if (found.length === 1) onPick(found[0]); // of several, the person at the keyboard chooses
  }, [settled]);
  useEffect(() => {
    if (data !== null && q !== "") announce(t("people_parts.found", { count: found.length }));
  }, [data]);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      setAt((at + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault(); // the form around it is not sent
      // What is typed by now, not the list of a moment ago: that one is waited for.
      if (!settled) taken.current = true;
      else if (found[at]) onPick(found[at]);
    }
  };
  return html`<div class="picker">
    <div class="field">
      <label for=${id}>${label ?? t("people_parts.find")}</label>
      <input
        id=${id}
        ref=${field}
        type="search"
        role="combobox"
        autocomplete="off"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls=${`${id}-list`}
        aria-activedescendant=${found[at] ? `${id}-${at}` : undefined}
        aria-describedby=${`${id}-hint`}
        data-first-focus=${first ? "" : undefined}
        value=${text}
        onInput=${(event) => {
          taken.current = false;
          setText(event.target.value);
        }}
        onKeyDown=${onKeyDown}
      />
      <small id=${`${id}-hint`}>${t("people_parts.find_hint")}</small>
    </div>
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data !== null && found.length === 0 && html`<p class="muted">${t("people_parts.none_found")}</p>`}
    <ul id=${`${id}-list`} ref=${list} role="listbox" aria-label=${t("people_parts.people_found")} aria-busy=${busy ? "true" : undefined}>
      ${found.map(
        (person, place) => html`<li
          key=${person.id}
          id=${`${id}-${place}`}
          role="option"
          aria-selected=${place === at ? "true" : "false"}
          onClick=${() => onPick(person)}
        >
          <${PersonThumb} person=${person} />
          <span class="picker-name">
            <${PersonName} person=${person} />
            <small class="muted">
              ${person.external_id && person.external_id !== nameOf(person) && html`<bdi>${person.external_id}</bdi> · `}
              ${t("people_parts.faces", { count: person.face_count })}
            </small>
          </span>
        </li>`,
      )}
    </ul>
  </div>`;
}
