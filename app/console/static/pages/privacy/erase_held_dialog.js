/** Erase people and groups of unknown faces of several collections, as one request of a person. */

import { inCollection } from "../../core/api.js";
import { html } from "../../core/html.js";
import { t, tWith } from "../../core/text.js";
import { ErasureDialog } from "../../parts/erase_dialog.js";
import { PersonName } from "../../parts/person_name.js";

const NAMED = 5;

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
    sentence=${html`<${WhatGoes} ...${{ people, groups }} />`}
    button=${t("privacy.erase", { count: items.length })}
    typed=${items.length > 1 ? items.length : null}
    items=${items}
    note=${(count) => t("privacy.erased", { count })}
    onClose=${onClose}
  />`;
}

/** How much goes, and who it is: the first of many. */
function WhatGoes({ people, groups }) {
  const named = people.slice(0, NAMED).map(({ collection, identity }) =>
    tWith("privacy.who_in", {
      name: () => html`<${PersonName} person=${identity} />`,
      collection: () => html`<bdi>${collection}</bdi>`,
    }),
  );
  if (people.length > NAMED) named.push(t("privacy.more", { count: people.length - NAMED }));
  const who = () => named.flatMap((one, at) => (at === 0 ? [one] : [", ", one]));
  return html`${people.length > 0 && [tWith("privacy.erase_people", { count: people.length, who }), " "]}
  ${groups.length > 0 && `${t("privacy.erase_groups", { count: groups.length })} `} ${t("privacy.erase_final")}`;
}

const itemOf = (id, collection, kind) => ({
  id,
  call: { method: "DELETE", path: inCollection(collection, kind, id) },
});
