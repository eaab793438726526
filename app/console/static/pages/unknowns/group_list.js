/** The list of groups: a queue that is worked through from the top. */

import { fromNow } from "../../core/format.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { href } from "../../core/router.js";
import { createSlots } from "../../core/slots.js";
import { t } from "../../core/text.js";
import { SelectBox } from "../../parts/select_bar.js";
import { cropOfUnknown, Thumb } from "../../parts/thumb.js";
import { readGroup, shortId } from "./actions.js";

/**
 * @param {object} props
 * @param {{id: string, seen_count: number, face_count: number, last_seen_at: string}[]} props.groups
 * @param {string | undefined} props.present the id of the group that is shown
 * @param {any} props.selection of parts/select_bar.js
 * @param {string} props.collection
 * @param {Record<string, string>} props.query of the page's address
 * @param {boolean} props.withCrops whether the service keeps crops of unknown faces
 * @param {boolean} props.busy
 */
export const GroupList = ({ groups, present, selection, collection, query, withCrops, busy }) =>
  html`<ol class="queue-list" aria-label=${t("unknowns.list")} aria-busy=${busy ? "true" : undefined}>
    ${groups.map((group) => {
      const name = t("unknowns.group", { id: shortId(group.id) });
      return html`<li key=${group.id} class=${group.id === present ? "present" : undefined}>
        <${SelectBox} selection=${selection} id=${group.id} label=${name} />
        <a
          href=${href("unknowns", { query: { ...query, group: group.id } })}
          data-group=${group.id}
          aria-current=${group.id === present ? "true" : undefined}
        >
          <${GroupThumb} group=${group} collection=${collection} withCrops=${withCrops} />
          <span class="queue-text">
            <strong>${t("unknowns.seen", { count: group.seen_count })}</strong>
            <span class="muted">${fromNow(group.last_seen_at)}</span>
          </span>
          <code>${shortId(group.id)}</code>
        </a>
      </li>`;
    })}
  </ol>`;

const slots = createSlots(4);

/** The newest face of a group. Its id is read when the row comes into view. */
function GroupThumb({ group, collection, withCrops }) {
  const [face, setFace] = useState(null);
  const place = useRef(null);
  useEffect(() => {
    if (!withCrops) return undefined;
    const leaving = new AbortController();
    const load = async () => {
      try {
        const { faces } = await slots.run(() => readGroup(collection, group.id, leaving.signal), leaving.signal);
        setFace(faces.findLast((one) => one.has_crop) ?? null);
      } catch {
        // It left the inbox meanwhile, or the page was left.
      }
    };
    const watch = new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting) return;
      watch.disconnect();
      load();
    });
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      leaving.abort();
    };
  }, [group.id, group.last_seen_at, withCrops]);
  return html`<span ref=${place}
    ><${Thumb} id=${group.id} name="?" faceId=${face?.id ?? null} crop=${face && cropOfUnknown(group.id, face.id)}
  /></span>`;
}
