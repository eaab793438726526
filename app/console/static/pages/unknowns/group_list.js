/** The list of groups: a queue that is worked through from the top. */

import { fromNow } from "../../core/format.js";
import { html } from "../../core/html.js";
import { href } from "../../core/router.js";
import { t } from "../../core/text.js";
import { SelectBox } from "../../parts/select_bar.js";
import { cropOfUnknown, Thumb } from "../../parts/thumb.js";
import { shortId } from "./actions.js";

/**
 * @param {object} props
 * @param {any[]} props.groups of GET unknowns
 * @param {string | undefined} props.present the id of the group that is shown
 * @param {any} props.selection of parts/select_bar.js
 * @param {Record<string, string>} props.query of the page's address
 * @param {boolean} props.busy
 */
export const GroupList = ({ groups, present, selection, query, busy }) =>
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
          <${GroupThumb} group=${group} />
          <span class="queue-text">
            <strong>${t("unknowns.seen", { count: group.seen_count })}</strong>
            <span class="muted">${fromNow(group.last_seen_at)}</span>
          </span>
          <code>${shortId(group.id)}</code>
        </a>
      </li>`;
    })}
  </ol>`;

/** The newest face of a group. */
export const GroupThumb = ({ group: { id, newest_face: face } }) =>
  html`<${Thumb}
    id=${id}
    name="?"
    faceId=${face?.id ?? null}
    crop=${face?.has_crop ? cropOfUnknown(id, face.id) : null}
  />`;
