/**
 * Controls by the rights of the key: `<button needs="correct">` is disabled where the key lacks the
 * right, and says why. The API refuses the same; this only saves the way there.
 */

import { options } from "../vendor/preact.js";
import { announce } from "./live.js";
import { me } from "./session.js";
import { t } from "./text.js";

/** Whether the key has a right; true as long as that is not known. @param {string} right */
export const may = (right) => me.get()?.rights.includes(right) ?? true;

/** The rights that the key lacks, of all that a control may need. */
export const lacking = () => ["read", "identify", "enroll", "correct", "templates", "audit", "admin"].filter((right) => !may(right));

/** Why a control is disabled. @param {string} right */
export const reasonOf = (right) => t("frame.lacks_right", { right: t(`frame.right_${right}`) });

/** The id of the element that says why; the frame has one for each right that is lacking. */
export const reasonId = (right) => `lacks-${right}`;

function withhold(props, right) {
  const refuse = (event) => {
    event.preventDefault();
    event.stopPropagation();
    announce(reasonOf(right));
  };
  const described = [props["aria-describedby"], reasonId(right)].filter(Boolean).join(" ");
  // Not `disabled`: the keyboard would pass by, and the reason with it.
  Object.assign(props, { "aria-disabled": "true", "aria-describedby": described, title: reasonOf(right), onClick: refuse });
  delete props.disabled;
  if ("href" in props) {
    delete props.href;
    Object.assign(props, { role: "link", tabindex: "0" });
  }
}

const before = options.vnode;

options.vnode = (vnode) => {
  const { type, props } = vnode;
  if (typeof type === "string" && props.needs !== undefined) {
    const right = props.needs;
    delete props.needs;
    if (!may(right)) withhold(props, right);
  }
  before?.(vnode);
};
