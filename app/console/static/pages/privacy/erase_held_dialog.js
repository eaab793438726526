/** Erase people and groups of unknown faces of several collections, as one request of a person. */

import { inCollection } from "../../core/api.js";
import { html } from "../../core/html.js";
import { t } from "../../core/text.js";
import { ErasureDialog } from "../../parts/erase_dialog.js";

/**
 * @param {object} props
 * @param {{collection: string, identity: object}[]} props.people
 * @param {{collection: string, group: object}[]} props.groups
 * @param {(erased: string[]) => void} props.onClose with the ids of what is gone now
 */
export function EraseHeldDialog({ people, groups, onClose }) {
  const items = [
    ...people.map(({ collection, identity: { id } }) => itemOf(id, collection, "identities")),
    // After the people, with whom unknown faces like theirs are erased: these are gone by then.
    ...groups.map(({ collection, group: { id } }) => itemOf(id, collection, "unknowns")),
  ];
  return html`<${ErasureDialog}
    title=${t("privacy.erase_title", { count: items.length })}
    sentence=${t("privacy.erase_text", { count: people.length, groups: t("privacy.groups", { count: groups.length }) })}
    button=${t("privacy.erase", { count: items.length })}
    typed=${items.length > 1 ? items.length : null}
    items=${items}
    note=${(count) => t("privacy.erased", { count })}
    onClose=${onClose}
  />`;
}

const itemOf = (id, collection, kind) => ({
  id,
  call: { method: "DELETE", path: inCollection(collection, kind, id) },
});
