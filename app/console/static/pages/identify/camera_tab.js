/** Identify: the faces before the camera, a frame at a time. */

import { request } from "../../core/api.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { boxesOf, createAnnouncer, identifyCall } from "../../core/recognition.js";
import { go, href } from "../../core/router.js";
import { useShortcuts } from "../../core/shortcuts.js";
import { t } from "../../core/text.js";
import { AsRequestButton } from "../../parts/as_request_button.js";
import { useCamera } from "../../parts/camera.js";
import { FRAME_HEADERS, useFrames } from "../../parts/camera_frames.js";
import { CameraButtons, CameraTrouble, CameraView } from "../../parts/camera_view.js";
import { Empty } from "../../parts/empty.js";
import { AddFaceDialog, EnrollFaceDialog } from "../../parts/enroll_face.js";
import { useFaceCuts } from "../../parts/face_cuts.js";
import { enrollKey, FoundFaces } from "../../parts/found_faces.js";
import { fieldsOf, IdentifyOptions } from "../../parts/identify_options.js";
import { ProblemNotice } from "../../parts/notice.js";
import { Timing } from "../../parts/timing.js";
import { presentPhoto } from "./present_photo.js";

const MEASURED_MS = 2000;

/** @param {{collection: string, query: Record<string, string>}} props */
export function CameraTab({ collection, query }) {
  const camera = useCamera();
  const [seen, setSeen] = useState(null); // {frame, answer, headers}
  const [chosen, setChosen] = useState(null); // {seen, place, Dialog}
  const announcer = useRef(createAnnouncer());
  const measure = useRef(createRate());
  const [rate, setRate] = useState(null);
  const callOf = (photo) => ({ ...identifyCall(collection, photo, fieldsOf(query)), headers: FRAME_HEADERS });
  const problem = useFrames(camera, async (frame, signal) => {
    const { body, headers } = await request({ ...callOf(frame.blob), signal });
    if (signal.aborted) return;
    setSeen({ frame, answer: body, headers });
    setRate(measure.current());
    announcer.current(body.faces);
  });
  const on = camera.phase === "on";
  useEffect(() => {
    if (!on) setSeen(null);
  }, [on]);
  const takePhoto = (file) => {
    presentPhoto.set(file);
    go(href("identify", { query }));
  };
  // The picture stands still while a dialog is open: it is about one face of it.
  const choose = (place, Chosen) => {
    camera.freeze(true);
    setChosen({ seen, place, Chosen, wasFrozen: camera.frozen });
  };
  const close = () => {
    camera.freeze(chosen.wasFrozen);
    setChosen(null);
  };
  const faces = seen?.answer.faces ?? [];
  useShortcuts({
    c: { label: t(on ? "camera.stop_long" : "camera.start"), run: () => (on ? camera.stop() : camera.start()) },
    ...(on && {
      " ": { label: t("camera.freeze"), run: () => camera.freeze(!camera.frozen) },
      m: { label: t("camera.mirror"), run: () => camera.setMirrored(!camera.mirrored) },
    }),
    ...enrollKey(faces, (place) => choose(place, EnrollFaceDialog)),
  });
  const still = camera.frozen && seen ? seen.frame.blob : null;
  const cuts = useFaceCuts(still, still ? faces.map(({ box }) => box) : []);
  return html`<div class="identify">
    <div class="identify-picture">
      <${CameraView} camera=${camera} image=${seen?.answer.image} faces=${boxesOf(faces)} />
      ${!on && html`<div class="camera-off"><p class="muted">${t("identify.camera_text")}</p></div>`}
      <p class="row"><${CameraButtons} needs="identify" camera=${camera} /></p>
    </div>
    <div class="identify-answer">
      <${CameraTrouble} camera=${camera} onFile=${takePhoto} />
      <${ProblemNotice} problem=${problem} />
      ${seen && faces.length === 0 && html`<${Empty} text=${t("identify.no_face_now")} />`}
      ${faces.length > 0 &&
      html`<${FoundFaces}
        faces=${faces}
        cuts=${cuts}
        onEnroll=${(place) => choose(place, EnrollFaceDialog)}
        onAdd=${(place) => choose(place, AddFaceDialog)}
      />`}
      ${seen &&
      html`<${Timing} headers=${seen.headers}>
        <${AsRequestButton} call=${() => callOf(seen.frame.blob)} />
        ${rate && !camera.frozen && html`<span>${t("identify.frames", { count: rate })}</span>`}
      <//>`}
      <${IdentifyOptions} query=${query} open=${problem?.code === "threshold_required"} />
    </div>
    ${chosen &&
    html`<${chosen.Chosen}
      collection=${collection}
      face=${{ photo: chosen.seen.frame.blob, faces: chosen.seen.answer.faces, place: chosen.place }}
      onClose=${close}
      onDone=${close}
    />`}
  </div>`;
}

/** Frames a second, over the last two; null until they are measured. */
function createRate() {
  let times = [];
  return () => {
    const now = performance.now();
    times = [...times.filter((time) => now - time < MEASURED_MS), now];
    return times.length < 3 ? null : Math.round((1000 * (times.length - 1)) / (now - times[0]));
  };
}
