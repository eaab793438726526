/** The inbox of unknown faces, as a queue that is worked through by keyboard. */

import { ask } from "../core/api.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { useAction, useLoaded } from "../core/loading.js";
import { setQuery } from "../core/router.js";
import { collection as collectionStore } from "../core/session.js";
import { useShortcuts } from "../core/shortcuts.js";
import { useStore } from "../core/store.js";
import { t } from "../core/text.js";
import { AsRequestButton } from "../parts/as_request_button.js";
import { Empty } from "../parts/empty.js";
import { KeyButton } from "../parts/key_button.js";
import { Notice, ProblemNotice } from "../parts/notice.js";
import { PageHead } from "../parts/page_head.js";
import { Pager, placeOf } from "../parts/pager.js";
import { SelectBar, useSelection } from "../parts/select_bar.js";
import { inboxChanged, inboxChanges, listCall, merge, mergeCall, readForMerge } from "./unknowns/actions.js";
import { leaving } from "./unknowns/dismissals.js";
import { GroupList } from "./unknowns/group_list.js";
import { GroupView } from "./unknowns/group_view.js";
import { KeepState } from "./unknowns/keep_state.js";
import { Filters } from "./unknowns/filters.js";
import { LeavingBar } from "./unknowns/leaving_bar.js";
import { SearchDialog } from "./unknowns/search_dialog.js";
import { TooManyDialog } from "./unknowns/too_many_dialog.js";

export default function Page({ query, collection }) {
  const known = useStore(collectionStore);
  const changes = useStore(inboxChanges);
  const going = useStore(leaving);
  const order = query.order === "largest" ? "largest" : "newest";
  const minCount = Number(query.min_count) > 1 ? Number(query.min_count) : null;
  const { cursor } = placeOf(query);
  const call = listCall(collection, { order, minCount, cursor });
  const { data, problem, busy, reload } = useLoaded(
    (signal) => ask({ ...call, signal, tries: 5 }),
    [collection, order, minCount, cursor, changes],
  );
  const groups = (data?.groups ?? []).filter(({ id }) => !going.some((one) => one.id === id));
  const ids = groups.map(({ id }) => id);
  const present = query.group ?? ids[0];
  const selection = useSelection(ids);
  const [tooMany, setTooMany] = useState(null);
  const [searching, setSearching] = useState(false);
  const [hint, setHint] = useState(false); // how to merge
  const focusOn = useRef(null); // the group whose row takes the focus once it is there

  const show = (id) => {
    focusOn.current = id;
    setQuery({ group: id });
  };
  /** Show the neighbour of the present group; at an end of the page, the first of the next page. */
  const step = (by) => {
    const at = ids.indexOf(present);
    if (ids[at + by] !== undefined) show(ids[at + by]);
    else if (by > 0) document.querySelector(".pager a:last-of-type[href]")?.click();
  };
  /** The present group left the list: its follower takes the place, else the one before it. */
  const next = () => {
    const at = ids.indexOf(present);
    const follower = at < 0 ? ids[0] : (ids[at + 1] ?? ids[at - 1]);
    focusOn.current = follower ?? "page-title";
    setQuery({ group: follower ?? null });
    if (at < 0) inboxChanged();
  };
  const mergeable = [...new Set([...selection.selected, ...(selection.selected.length === 1 ? [present] : [])])];
  const finishMerge = async (read) => {
    setTooMany(null);
    const id = await merge(collection, read.groups);
    selection.none();
    show(id);
  };
  const merging = useAction(async () => {
    setHint(mergeable.length < 2);
    if (mergeable.length < 2) return;
    const read = await readForMerge(collection, mergeable);
    if (read.tooMany > 0) setTooMany(read);
    else await finishMerge(read);
  });

  useShortcuts({
    j: { label: t("unknowns.key_next"), run: () => step(1) },
    k: { label: t("unknowns.key_before"), run: () => step(-1) },
    x: { label: t("unknowns.key_select"), run: (event) => present && selection.toggle(present, event) },
    m: { label: t("unknowns.merge"), needs: "correct", run: () => merging.run() },
  });
  useEffect(() => {
    if (focusOn.current === null || busy) return;
    // Somebody who types the name already keeps the focus.
    if (document.activeElement?.closest(`[data-form-of="${CSS.escape(focusOn.current)}"]`)) focusOn.current = null;
    if (focusOn.current === null) return;
    const row = document.querySelector(`[data-group="${CSS.escape(focusOn.current)}"]`);
    if (row === null && focusOn.current !== "page-title") return;
    (row ?? document.getElementById("page-title")).focus();
    focusOn.current = null;
  });
  useEffect(() => {
    if (data !== null && data.groups.length === 0 && cursor !== null) setQuery({ after: null, before: null, group: null });
  }, [data]);
  useEffect(() => {
    // Meanwhile another tab may have changed what this one shows.
    const onVisible = () => document.visibilityState === "visible" && inboxChanged();
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, []);

  const empty = data !== null && groups.length === 0;
  return html`<${PageHead} title=${t("unknowns.title")} lead=${t("unknowns.lead")}>
      <${AsRequestButton} call=${call} />
    <//>
    <${KeepState} known=${known} collection=${collection} isEmpty=${empty} />
    <${LeavingBar} />
    <${ProblemNotice} problem=${problem} onRetry=${reload} />
    ${(!empty || minCount !== null || cursor !== null) &&
    data !== null &&
    html`<${Filters} order=${order} minCount=${minCount}>
      <button type="button" onClick=${() => setSearching(true)}>${t("unknowns.search_by_photo")}</button>
    <//>`}
    ${empty && minCount !== null && html`<${Empty} text=${t("unknowns.none_so_often", { count: minCount })} />`}
    ${hint && mergeable.length < 2 && html`<${Notice}>${t("unknowns.how_to_merge")}<//>`}
    <${ProblemNotice} problem=${merging.problem} />
    <div class="queue">
      ${groups.length > 0 &&
      html`<div>
        <${GroupList}
          groups=${groups}
          present=${present}
          selection=${selection}
          query=${query}
          busy=${busy}
        />
        <${Pager} nextCursor=${data.next_cursor} label=${t("unknowns.list")} />
      </div>`}
      ${present && html`<${GroupView} collection=${collection} id=${present} onLeft=${next} onShow=${show} />`}
    </div>
    <${SelectBar} selection=${selection}>
      <${KeyButton} needs="correct" shortcut="m" class="primary" disabled=${merging.busy || mergeable.length < 2} onClick=${merging.run}>
        ${t("unknowns.merge_count", { count: mergeable.length })}
      <//>
      <span class="muted">${t("unknowns.who_stays")}</span>
      <${AsRequestButton} call=${() => mergeCall(collection, mergeable)} />
    <//>
    ${searching &&
    html`<${SearchDialog}
      collection=${collection}
      onClose=${() => setSearching(false)}
      onShow=${(id) => {
        setSearching(false);
        show(id);
      }}
    />`}
    ${tooMany && html`<${TooManyDialog} read=${tooMany} onMerge=${finishMerge} onClose=${() => setTooMany(null)} />`}`;
}
