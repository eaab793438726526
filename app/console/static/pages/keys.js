/** API keys: who may do what, and where. */

import { ask } from "../core/api.js";
import { day, fromNow } from "../core/format.js";
import { html, useState } from "../core/html.js";
import { presentKey, setKey } from "../core/keys.js";
import { useLoaded } from "../core/loading.js";
import { href } from "../core/router.js";
import { connect, me } from "../core/session.js";
import { useStore } from "../core/store.js";
import { hasText, t } from "../core/text.js";
import { AsRequestButton } from "../parts/as_request_button.js";
import { Empty } from "../parts/empty.js";
import { CreateKey, RevokeKey, RotateKey, ShowKey } from "../parts/key_dialogs.js";
import { Notice, ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { Pager, placeOf } from "../parts/pager.js";
import { Table } from "../parts/table.js";

const A_PAGE = 50;

export default function Page({ query }) {
  const caller = useStore(me);
  const asksForNone = presentKey() === null; // else this page would not be shown
  const { cursor } = placeOf(query);
  const call = { path: "keys", query: { limit: A_PAGE, cursor } };
  const { data, problem, busy, reload } = useLoaded((signal) => ask({ ...call, signal }), [cursor]);
  const [dialog, setDialog] = useState(null); // {kind, key or text}
  const close = () => setDialog(null);
  const issued = ({ key, text, aws }) => {
    setDialog({ kind: "show", key, text, aws });
    if (!asksForNone) return;
    // From now on the service asks for a key: without one, the page would end before it is copied.
    setKey(text);
    connect();
  };
  const closeAndReload = () => {
    close();
    reload();
  };
  return html`<${PageHead} title=${t("keys.title")} lead=${t("keys.lead")}>
      <a class="button" href=${href("system")}>${t("frame.nav_system")}</a>
      <${AsRequestButton} call=${call} />
      <button type="button" class="primary" needs="admin" onClick=${() => setDialog({ kind: "create" })}>${t("keys.create")}</button>
    <//>
    ${asksForNone && html`<${Notice} kind="warning">${t("keys.first")}<//>`}
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data &&
    (data.keys.length === 0
      ? html`<${Empty} text=${t("keys.none")} />`
      : html`<${Table}
          caption=${t("keys.title")}
          columns=${columnsOf(setDialog, caller)}
          rows=${data.keys}
          keyOf=${({ id }) => id}
          isSelected=${({ id }) => id === caller?.id}
          busy=${busy}
        />`)}
    ${data && html`<${Pager} nextCursor=${data.next_cursor} label=${t("keys.pages")} />`}
    ${dialog?.kind === "create" && html`<${CreateKey} onClose=${close} onDone=${issued} />`}
    ${dialog?.kind === "rotate" && html`<${RotateKey} of=${dialog.key} onClose=${close} onDone=${issued} />`}
    ${dialog?.kind === "revoke" && html`<${RevokeKey} of=${dialog.key} onClose=${close} onDone=${closeAndReload} />`}
    ${dialog?.kind === "show" && html`<${ShowKey} of=${dialog.key} text=${dialog.text} aws=${dialog.aws} onClose=${closeAndReload} />`}`;
}

const rightsOf = ({ role, rights }) =>
  html`${role !== "custom" && html`${t(`keys.role_${role}`)}<br />`}
    <small class="muted">${rights.map((name) => (hasText(`frame.right_${name}`) ? t(`frame.right_${name}`) : name)).join(", ")}</small>`;

function stateOf({ state, expires_at, successor_id }) {
  const text = state === "active" && expires_at !== null ? t("keys.until", { day: day(expires_at) }) : t(`keys.state_${state}`);
  return html`${text}${successor_id && html`<br /><small class="muted">${t("keys.replaced_by", { id: successor_id })}</small>`}`;
}

function columnsOf(setDialog, caller) {
  const text = (name) => ({ name, text: t(`keys.${name}`) });
  return [
    {
      ...text("name"),
      heads: true,
      cell: ({ id, name, prefix }) =>
        html`<bdi>${name}</bdi>${id === caller?.id && html` <small class="muted">${t("keys.this_one")}</small>`}
          <br /><small class="muted"><code>${prefix}</code></small>`,
    },
    { ...text("may"), cell: rightsOf },
    { ...text("where"), cell: ({ collections }) => (collections === null ? t("keys.everywhere") : html`<bdi>${collections.join(", ")}</bdi>`) },
    { ...text("state"), cell: stateOf },
    { ...text("used"), cell: ({ last_used_at }) => (last_used_at === null ? t("keys.never") : fromNow(last_used_at)) },
    { ...text("actions"), quiet: true, cell: (key) => html`<${Actions} of=${key} open=${(kind) => setDialog({ kind, key })} />` },
  ];
}

function Actions({ of: { name, state, successor_id }, open }) {
  if (state === "revoked") return null;
  return html`<span class="row">
    ${state === "active" &&
    successor_id === null &&
    html`<button type="button" class="small" needs="admin" aria-label=${t("keys.rotate_name", { name })} onClick=${() => open("rotate")}>
      ${t("keys.rotate")}
    </button>`}
    <button type="button" class="small danger" needs="admin" aria-label=${t("keys.revoke_name", { name })} onClick=${() => open("revoke")}>
      ${t("keys.revoke")}
    </button>
  </span>`;
}
