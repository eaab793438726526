/** One group: its faces, and what to do with it. */

import { ask, inCollection } from "../../core/api.js";
import { between } from "../../core/format.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { useAction, useLoaded } from "../../core/loading.js";
import { collection as collectionStore, info } from "../../core/session.js";
import { useShortcuts } from "../../core/shortcuts.js";
import { createSlots } from "../../core/slots.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { KeyButton } from "../../parts/key_button.js";
import { Notice, ProblemNotice } from "../../parts/notice.js";
import { groupCall, inboxChanges, readGroup, shortId, split } from "./actions.js";
import { dismissLater } from "./dismissals.js";
import { FindPhotoDialog, PhotoDialog } from "./find_photo.js";
import { foundPhotos, useCutFaces } from "./found_photos.js";
import { ItIsDialog } from "./it_is_dialog.js";
import { NameForm } from "./name_form.js";
import { Sighting } from "./sighting.js";

const slots = createSlots(4);

/** The people that the faces were most like, by id. Those who are gone by now are left out. */
async function readNearest(collection, faces, signal) {
  const ids = [...new Set(faces.map((face) => face.nearest_identity_id).filter(Boolean))];
  const read = async (id) => {
    const people = await slots.run(() => ask({ path: inCollection(collection, "identities", id), signal }), signal);
    return [id, people];
  };
  const answers = await Promise.allSettled(ids.map(read));
  return new Map(answers.filter(({ status }) => status === "fulfilled").map(({ value }) => value));
}

/**
 * @param {object} props
 * @param {string} props.collection
 * @param {string} props.id of the group
 * @param {() => void} props.onLeft it left the list: to the next one
 * @param {(id: string) => void} props.onShow another group is to be shown
 */
export function GroupView({ collection, id, onLeft, onShow }) {
  const changes = useStore(inboxChanges);
  const { data: group, problem, busy, reload } = useLoaded(
    async (signal) => {
      const read = await readGroup(collection, id, signal);
      return { ...read, nearest: await readNearest(collection, read.faces, signal) };
    },
    [collection, id, changes],
  );
  const [chosen, setChosen] = useState([]);
  const [changed, setChanged] = useState(false);
  const [dialog, setDialog] = useState(null);
  const field = useRef(null);
  const list = useRef(null);
  const photos = useStore(foundPhotos);
  const shown = group?.id === id ? group : null;
  const faces = shown?.faces ?? NONE;
  const cut = useCutFaces(faces);
  const picked = chosen.filter((one) => faces.some((face) => face.id === one));
  const faceIds = picked.length > 0 ? picked : faces.map((face) => face.id);
  useEffect(() => {
    setChosen([]);
    setChanged(false);
  }, [id]);
  const onChanged = () => {
    setChanged(true);
    reload();
  };
  const left = () => {
    setChosen([]);
    if (faceIds.length === faces.length) onLeft();
  };

  const dividing = useAction(async () => {
    if (picked.length === 0 || picked.length === faces.length) {
      list.current?.querySelector("input")?.focus();
      setDialog("how-to-split");
      return;
    }
    try {
      onShow(await split(collection, id, picked));
    } catch (wrong) {
      if (wrong.status === 404) onChanged();
      throw wrong;
    }
  });
  const dismissing = useAction(async () => {
    // What another tab put into this group was not looked at here: it is not erased unseen.
    const present = await readGroup(collection, id);
    if (present.faces.some((face) => !faces.some((known) => known.id === face.id))) {
      onChanged();
      return;
    }
    dismissLater(collection, id);
    onLeft();
  });
  useShortcuts(
    shown === null
      ? {}
      : {
          n: { label: t("unknowns.key_name"), needs: "enroll", run: () => field.current?.focus() },
          a: { label: t("unknowns.it_is"), needs: "enroll", run: () => setDialog("it-is") },
          s: { label: t("unknowns.split"), needs: "correct", run: () => dividing.run() },
          d: { label: t("unknowns.dismiss"), needs: "correct", run: () => dismissing.run() },
        },
  );

  const wrong = problem ?? dividing.problem ?? dismissing.problem;
  if (wrong?.status === 404 && (shown === null || problem !== null)) return html`<${Gone} onNext=${onLeft} />`;
  if (shown === null) return problem ? html`<${ProblemNotice} problem=${problem} onRetry=${reload} />` : null;
  const threshold = collectionStore.get()?.options?.decisions.identify_threshold ?? info.get().thresholds.identify;
  const summary = [
    t("unknowns.seen", { count: shown.seen_count }),
    t("unknowns.kept_faces", { count: faces.length }),
    between(shown.first_seen_at, shown.last_seen_at),
  ].join(" · ");
  return html`<section class="queue-item" aria-labelledby="group-title" aria-busy=${busy ? "true" : undefined}>
    <header class="row">
      <h2 id="group-title">${t("unknowns.group", { id: shortId(id) })}</h2>
      <span class="muted">${summary}</span>
    </header>
    ${changed && html`<${Notice} kind="warning">${t("unknowns.changed")}<//>`}
    <${NameForm}
      key=${id}
      collection=${collection}
      groupId=${id}
      faceIds=${faceIds}
      chosen=${picked.length}
      field=${field}
      onDone=${left}
      onChanged=${onChanged}
    />
    <div class="row">
      <${KeyButton} needs="enroll" shortcut="a" onClick=${() => setDialog("it-is")}>${t("unknowns.it_is")}<//>
      <${KeyButton} needs="correct" shortcut="s" disabled=${dividing.busy} onClick=${dividing.run}>${t("unknowns.split")}<//>
      <${KeyButton} needs="correct" shortcut="d" class="danger" disabled=${dismissing.busy} onClick=${dismissing.run}>
        ${t("unknowns.dismiss")}
      <//>
      <button type="button" onClick=${() => setDialog("find-photo")}>${t("unknowns.find_photo")}</button>
      <${AsRequestButton} call=${() => groupCall(collection, id)} />
    </div>
    ${dialog === "how-to-split" &&
    html`<${Notice}>${t(faces.length > 1 ? "unknowns.how_to_split" : "unknowns.one_face")}<//>`}
    <${ProblemNotice} problem=${wrong?.status === 404 ? null : wrong} />
    <ul class="sightings" ref=${list} aria-label=${t("unknowns.sightings")}>
      ${faces.toReversed().map(
        (face) => html`<${Sighting}
          key=${face.id}
          groupId=${id}
          face=${face}
          nearest=${shown.nearest.get(face.nearest_identity_id)}
          threshold=${threshold}
          cut=${cut}
          photo=${photos.get(face.image_sha256)}
          onPhoto=${(photo, one) => setDialog({ photo, face: one })}
          chosen=${picked.includes(face.id)}
          onChoose=${(one) => {
            setDialog(null);
            setChosen((all) => (all.includes(one) ? all.filter((other) => other !== one) : [...all, one]));
          }}
        />`,
      )}
    </ul>
    ${dialog === "it-is" &&
    html`<${ItIsDialog}
      collection=${collection}
      groupId=${id}
      faces=${faces.filter((face) => faceIds.includes(face.id))}
      onClose=${() => setDialog(null)}
      onDone=${() => {
        setDialog(null);
        left();
      }}
      onChanged=${() => {
        setDialog(null);
        onChanged();
      }}
    />`}
    ${dialog === "find-photo" && html`<${FindPhotoDialog} faces=${faces} onClose=${() => setDialog(null)} />`}
    ${dialog?.photo && html`<${PhotoDialog} ...${dialog} onClose=${() => setDialog(null)} />`}
  </section>`;
}

const NONE = [];

/** It was named, merged or dismissed elsewhere. */
const Gone = ({ onNext }) =>
  html`<${Notice} kind="warning" title=${t("unknowns.gone")}>
    <p>${t("unknowns.gone_text")}</p>
    <p><button type="button" onClick=${onNext}>${t("unknowns.next")}</button></p>
  <//>`;
