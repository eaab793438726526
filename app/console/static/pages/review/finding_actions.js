/** What can be done with a finding: buttons, their keys, and the dialogs that they open. */

import { html, useState } from "../../core/html.js";
import { useAction } from "../../core/loading.js";
import { useShortcuts } from "../../core/shortcuts.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { EraseDialog, EraseFaceDialog } from "../../parts/erase_dialog.js";
import { KeyButton } from "../../parts/key_button.js";
import { MergeDialog } from "../../parts/merge_dialog.js";
import { ProblemNotice } from "../../parts/notice.js";
import { nameOf } from "../../parts/person_name.js";
import { dismiss, dismissCall, move, moveCall } from "./actions.js";
import { ChooseDialog } from "./choose_dialog.js";
import { MoveDialog } from "./move_dialog.js";

/** What each kind of finding offers; the first is advised. */
const OFFERS = {
  mislabel: ["move", "remove", "move_to", "fine"],
  outlier: ["remove", "move_to", "fine"],
  duplicate: ["merge", "erase", "fine"],
  look_alike: ["fine", "merge", "erase"],
};
const KEYS = { move: "v", move_to: "o", remove: "x", merge: "m", erase: "e", fine: "f" };

/**
 * @param {object} props
 * @param {string} props.collection
 * @param {any} props.finding
 * @param {{identity: any, other: any}} props.people as they are now
 * @param {any} props.examination
 * @param {() => void} props.onChanged the people were changed elsewhere: look at them anew
 */
export function FindingActions({ collection, finding, people, examination, onChanged }) {
  const { kind, other, face_id: faceId } = finding;
  const [dialog, setDialog] = useState(null);
  const close = () => setDialog(null);
  /** Something is gone, or not as it was when it was looked at: nothing was done then. */
  const changed = () => {
    close();
    onChanged();
  };
  const unlessChanged = async (work) => {
    try {
      await work();
    } catch (wrong) {
      if (wrong.status !== 404 && wrong.code !== "revision_conflict") throw wrong;
      changed();
    }
  };
  // What is refused when one of them changed after they were read to be shown here.
  const revision = Math.min(people.identity.revision, people.other?.revision ?? Infinity);
  const moveTo = (who, force = false) =>
    unlessChanged(() => move(collection, finding, examination, who, { force, ifRevision: revision }));
  const moving = useAction((force) => moveTo({ identity_id: other.identity_id }, force === true));
  const dismissing = useAction(() => unlessChanged(() => dismiss(collection, finding, examination)));
  const runs = {
    move: () => moving.run(),
    move_to: () => setDialog("move"),
    remove: () => setDialog("remove"),
    merge: () => setDialog("merge"),
    erase: () => setDialog("erase"),
    fine: () => dismissing.run(),
  };
  const offers = (OFFERS[kind] ?? ["fine"]).filter((offer) => other !== null || !["move", "merge"].includes(offer));
  const labels = {
    move: () => t("review.move_to_person", { name: nameOf(people.other) }),
    move_to: () => t("review.move_to"),
    remove: () => t("review.remove"),
    merge: () => t("review.merge"),
    erase: () => t("review.erase_one"),
    fine: () => t("review.fine"),
  };
  const keyOf = (offer) => ({ label: labels[offer](), needs: "correct", run: runs[offer] });
  useShortcuts(Object.fromEntries(offers.map((offer) => [KEYS[offer], keyOf(offer)])));
  const guarded = moving.problem?.status === 409;
  const calls = {
    move: () => moveCall(collection, faceId, { identity_id: other.identity_id }, { ifRevision: revision }),
    fine: () => dismissCall(finding),
  };
  return html`<div class="row">
    ${offers.map(
      (offer, place) => html`<${KeyButton}
        needs="correct"
        key=${offer}
        shortcut=${KEYS[offer]}
        class=${[place === 0 && "primary", ["remove", "erase"].includes(offer) && "danger"].filter(Boolean).join(" ")}
        disabled=${moving.busy || dismissing.busy}
        onClick=${runs[offer]}
      >
        ${labels[offer]()}
      <//>`,
    )}
    <${AsRequestButton} call=${calls[offers[0]] ?? calls.fine} />
  </div>
  <${ProblemNotice} problem=${moving.problem ?? dismissing.problem} />
  ${guarded && html`<p><button needs="correct" type="button" onClick=${() => moving.run(true)}>${t("review.move_by_force")}</button></p>`}
  ${dialog === "move" &&
  html`<${MoveDialog} collection=${collection} finding=${finding} onMove=${moveTo} onClose=${close} />`}
  ${dialog === "remove" &&
  html`<${EraseFaceDialog}
    person=${people.identity}
    face=${{ id: faceId }}
    isLast=${people.identity.face_count === 1}
    onClose=${(erased) => {
      close();
      if (erased.includes(faceId)) examination.handled(finding, [faceId]);
    }}
  />`}
  ${dialog === "merge" &&
  html`<${MergeDialog}
    people=${[people.identity, people.other]}
    onChanged=${changed}
    onClose=${(receipt) => {
      close();
      if (receipt !== null) examination.handled(finding, receipt.merged.map((one) => one.identity_id));
    }}
  />`}
  ${dialog === "erase" &&
  html`<${ChooseDialog}
    people=${[people.identity, people.other]}
    onChoose=${(person) => setDialog({ erase: person })}
    onClose=${close}
  />`}
  ${dialog?.erase &&
  html`<${EraseDialog}
    people=${[dialog.erase]}
    onClose=${(erased) => {
      close();
      if (erased.length > 0) examination.handled(finding, erased);
    }}
  />`}`;
}
