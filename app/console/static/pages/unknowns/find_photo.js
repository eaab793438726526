/** "Find the photo": a folder of camera pictures, looked through on this machine. */

import { chosenFiles, droppedFiles } from "../../core/dropped_folders.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useStore } from "../../core/store.js";
import { t } from "../../core/text.js";
import { Dialog } from "../../parts/dialog.js";
import { FaceBoxes } from "../../parts/face_boxes.js";
import { Notice } from "../../parts/notice.js";
import { useObjectUrl } from "../../parts/photo_anywhere.js";
import { Progress } from "../../parts/progress.js";
import { canHash, foundPhotos, lookThrough, mayBePhoto } from "./found_photos.js";

/** @param {{faces: {id: string, image_sha256: string}[], onClose: () => void}} props faces of the group */
export function FindPhotoDialog({ faces, onClose }) {
  const photos = useStore(foundPhotos);
  const [progress, setProgress] = useState(null); // {done, of, unreadable, running}
  const running = useRef(null);
  const input = useRef(null);
  useEffect(() => () => running.current?.abort(), []);
  const found = faces.filter((face) => photos.has(face.image_sha256)).length;

  const take = async (files) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const wanted = files.filter(mayBePhoto);
    setProgress({ done: 0, of: wanted.length, unreadable: 0, running: true });
    const onProgress = (done) => setProgress((present) => ({ ...present, done }));
    const { unreadable } = await lookThrough(wanted, { signal: controller.signal, onProgress });
    setProgress((present) => ({ ...present, unreadable, running: false }));
  };
  const result = progress && !progress.running && t("unknowns.photos_found", { count: found, of: faces.length });
  useEffect(() => {
    if (result) announce(result);
  }, [result]);

  return html`<${Dialog} title=${t("unknowns.find_photo")} onClose=${onClose}>
    <p>${t("unknowns.find_photo_text")}</p>
    ${!canHash()
      ? html`<${Notice} kind="warning">${t("unknowns.no_hash")}<//>`
      : html`<div
          class="drop"
          onDragOver=${(event) => event.preventDefault()}
          onDrop=${async (event) => {
            event.preventDefault();
            take(await droppedFiles(event.dataTransfer));
          }}
        >
          <p class="row">
            <button type="button" data-first-focus onClick=${() => input.current.click()}>
              ${t("unknowns.choose_folder")}
            </button>
            <span>${t("unknowns.or_drop_folder")}</span>
          </p>
          <input
            ref=${input}
            type="file"
            hidden
            webkitdirectory
            multiple
            aria-label=${t("unknowns.choose_folder")}
            onChange=${(event) => {
              take(chosenFiles(event.target.files));
              event.target.value = "";
            }}
          />
        </div>`}
    ${progress?.running &&
    html`<${Progress} value=${progress.done} of=${progress.of} text=${t("unknowns.hashing", progress)} />
      <p><button type="button" onClick=${() => running.current.abort()}>${t("unknowns.stop")}</button></p>`}
    ${result &&
    html`<p>
      <strong>${result}</strong>
      ${progress.unreadable > 0 && ` ${t("unknowns.unreadable", { count: progress.unreadable })}`}
    </p>`}
  <//>`;
}

/** The whole photo of a sighting, with its box. @param {{photo: File, face: any, onClose: () => void}} props */
export function PhotoDialog({ photo, face, onClose }) {
  const url = useObjectUrl(photo);
  const [image, setImage] = useState(null);
  const [hidden, setHidden] = useState(false);
  const boxes = face.box && [{ key: face.id, box: face.box, kind: "unknown", label: "" }];
  return html`<${Dialog} wide title=${photo.name} onClose=${onClose}>
    ${hidden
      ? html`<p>${t("unknowns.not_decoded", { name: photo.name })}</p>`
      : html`<${FaceBoxes} image=${image} faces=${boxes ?? []}>
          <img
            src=${url}
            alt=${t("unknowns.photo_alt")}
            onLoad=${({ target }) => setImage({ width: target.naturalWidth, height: target.naturalHeight })}
            onError=${() => url && setHidden(true)}
          />
        <//>`}
  <//>`;
}
