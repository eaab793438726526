/** Webhooks: events that go to other systems, how far each is, and what failed. */

import { ask } from "../core/api.js";
import { count, fromNow } from "../core/format.js";
import { note } from "../core/history.js";
import { html, useState } from "../core/html.js";
import { useAction, useLoaded } from "../core/loading.js";
import { href } from "../core/router.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "../parts/as_request_button.js";
import { Empty } from "../parts/empty.js";
import { ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { Pager, placeOf } from "../parts/pager.js";
import { Table } from "../parts/table.js";
import { CreateWebhook, DeleteWebhook, ReplayWebhook, RotateWebhook, ShowSecret } from "../parts/webhook_dialogs.js";

const A_PAGE = 50;

export default function Page({ query }) {
  const { cursor } = placeOf(query);
  const call = { path: "webhooks", query: { limit: A_PAGE, cursor } };
  const { data, problem, busy, reload } = useLoaded((signal) => ask({ ...call, signal }), [cursor]);
  const [dialog, setDialog] = useState(null); // {kind, of or secret}
  const close = () => setDialog(null);
  const closeAndReload = () => {
    close();
    reload();
  };
  const issued = ({ webhook, secret }) => setDialog({ kind: "show", of: webhook, secret });
  const open = (kind, of) => setDialog({ kind, of });
  return html`<${PageHead} title=${t("webhooks.title")} lead=${t("webhooks.lead")}>
      <a class="button" href=${href("system")}>${t("frame.nav_system")}</a>
      <${AsRequestButton} call=${call} />
      <button type="button" class="primary" needs="admin" onClick=${() => open("create")}>${t("webhooks.create")}</button>
    <//>
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${data &&
    (data.webhooks.length === 0
      ? html`<${Empty} text=${t("webhooks.none")} />`
      : html`<${Table}
          caption=${t("webhooks.title")}
          columns=${columnsOf(open, reload)}
          rows=${data.webhooks}
          keyOf=${({ id }) => id}
          busy=${busy}
        />`)}
    ${data && html`<${Pager} nextCursor=${data.next_cursor} label=${t("webhooks.pages")} />`}
    ${dialog?.kind === "create" && html`<${CreateWebhook} onClose=${close} onDone=${issued} />`}
    ${dialog?.kind === "rotate" && html`<${RotateWebhook} of=${dialog.of} onClose=${close} onDone=${issued} />`}
    ${dialog?.kind === "replay" && html`<${ReplayWebhook} of=${dialog.of} onClose=${close} onDone=${closeAndReload} />`}
    ${dialog?.kind === "delete" && html`<${DeleteWebhook} of=${dialog.of} onClose=${close} onDone=${closeAndReload} />`}
    ${dialog?.kind === "show" && html`<${ShowSecret} of=${dialog.of} secret=${dialog.secret} onClose=${closeAndReload} />`}`;
}

const listed = (values, all) => (values === null ? all : html`<bdi>${values.join(", ")}</bdi>`);

function stateOf({ stopped_because, failing_since, waiting, dead_letters, missed }) {
  const state = stopped_because !== null ? `stopped_${stopped_because}` : failing_since !== null ? "failing" : "active";
  const counts = [
    waiting > 0 && t("webhooks.waiting", { count: waiting }),
    dead_letters > 0 && t("webhooks.dead_letters", { count: dead_letters }),
    missed > 0 && t("webhooks.missed", { count: missed }),
  ].filter(Boolean);
  return html`${t(`webhooks.state_${state}`)}${counts.map((text) => html`<br /><small class="muted">${text}</small>`)}`;
}

function columnsOf(open, reload) {
  const text = (name) => ({ name, text: t(`webhooks.${name}`) });
  return [
    {
      ...text("name"),
      heads: true,
      cell: ({ name, url }) => html`<bdi>${name}</bdi><br /><small class="muted"><code class="long">${url}</code></small>`,
    },
    {
      ...text("gets"),
      cell: ({ types, collections }) =>
        html`${listed(types, t("webhooks.all_types"))}<br /><small class="muted">${listed(collections, t("webhooks.everywhere"))}</small>`,
    },
    { ...text("state"), cell: stateOf },
    {
      ...text("delivered"),
      cell: ({ delivered, last_delivered_at }) =>
        html`${count(delivered)}${last_delivered_at && html`<br /><small class="muted">${fromNow(last_delivered_at)}</small>`}`,
    },
    { ...text("actions"), quiet: true, cell: (of) => html`<${Actions} ...${{ of, open, reload }} />` },
  ];
}

function Actions({ of, open, reload }) {
  const { id, name, enabled } = of;
  const test = useAction(async () => {
    const { error, seconds } = await ask({ method: "POST", path: `webhooks/${id}:test` });
    if (error === null) note(t("webhooks.test_taken", { name, ms: count(Math.round(seconds * 1000)) }));
    else note(t("webhooks.test_failed", { name, error }), { kind: "failed" });
  });
  const turn = useAction(async () => {
    await ask({ method: "PATCH", path: `webhooks/${id}`, json: { enabled: !enabled } });
    reload();
  });
  const button = (what, onClick, busy = false, kind = "") =>
    html`<button
      type="button"
      class=${`small ${kind}`}
      needs="admin"
      disabled=${busy}
      aria-label=${t("webhooks.of", { what: t(`webhooks.${what}`), name })}
      onClick=${onClick}
    >
      ${t(`webhooks.${what}`)}
    </button>`;
  return html`<span class="row">
      ${button("test", test.run, test.busy)} ${button(enabled ? "disable" : "enable", turn.run, turn.busy)}
      ${button("replay", () => open("replay", of))} ${button("rotate", () => open("rotate", of))}
      ${button("delete", () => open("delete", of), false, "danger")}
    </span>
    <${ProblemNotice} problem=${test.problem ?? turn.problem} />`;
}
