/** Photos by the camera: an oval to look through, what is wrong in words, a button that takes. */

import { ask } from "../../core/api.js";
import { placeInOval } from "../../core/head_pose.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { announce } from "../../core/live.js";
import { useShortcuts } from "../../core/shortcuts.js";
import { t } from "../../core/text.js";
import { useCamera } from "../../parts/camera.js";
import { FRAME_HEADERS, useFrames } from "../../parts/camera_frames.js";
import { CameraButtons, CameraTrouble, CameraView } from "../../parts/camera_view.js";
import { ProblemNotice } from "../../parts/notice.js";
import { judgeCall, judgementOf, wordsOf } from "./judgement.js";

const POSES = ["front", "left", "right"];
const BETWEEN_MS = 900; // two photos of one moment are no use

/**
 * @param {object} props
 * @param {import("./shots.js").Shot[]} props.shots
 * @param {(photo: Blob, judgement?: object | null) => unknown} props.onShot
 * @param {(file: File) => void} props.onFile where there is no camera
 */
export function CameraShots({ shots, onShot, onFile }) {
  const camera = useCamera();
  const [seen, setSeen] = useState(null); // {judgement, place} of the last frame
  const [byItself, setByItself] = useState(false);
  const button = useRef(null);
  const last = useRef(0);
  const poses = new Set(shots.filter(({ judgement }) => judgement.kind === "good").map(({ judgement }) => judgement.pose));
  const missing = POSES.filter((pose) => !poses.has(pose));

  const problem = useFrames(camera, async (frame, signal) => {
    const answer = await ask({ ...judgeCall(frame.blob), headers: FRAME_HEADERS, signal });
    if (signal.aborted) return;
    const judgement = judgementOf(answer);
    const place = judgement.box ? placeInOval(judgement.box, answer.image) : null;
    setSeen({ judgement, place });
    const good = judgement.kind === "good" && place === "good" && missing.includes(judgement.pose);
    if (byItself && good && Date.now() - last.current > BETWEEN_MS) shoot(frame.blob, judgement);
  });
  const shoot = (photo, judgement) => {
    last.current = Date.now();
    announce(t("enroll.taken", { count: shots.length + 1 }));
    return onShot(photo, judgement);
  };
  const take = async () => {
    const frame = camera.isLive ? await camera.grab() : null;
    if (frame !== null) await shoot(frame.blob, null);
  };
  const live = camera.isLive;
  useShortcuts(live ? { " ": { label: t("enroll.take"), run: take } } : {});
  useEffect(() => {
    if (live) button.current.focus(); // Space takes, and does not press Stop
    else setSeen(null);
  }, [live]);
  const hint = live ? hintOf(seen, byItself, missing) : null;
  useEffect(() => {
    if (hint) announce(hint);
  }, [hint]);
  return html`<div class="enroll-camera">
    <div class="oval-picture">
      <${CameraView} camera=${camera} />
      ${camera.phase === "on" && html`<div class=${`oval ${seen?.judgement.kind === "good" && seen.place === "good" ? "good" : ""}`} aria-hidden="true"></div>`}
      ${camera.phase !== "on" && html`<div class="camera-off"><p class="muted">${t("enroll.camera_text")}</p></div>`}
    </div>
    <p class="row">
      <${CameraButtons} needs="enroll" camera=${camera} primary=${false} />
      ${camera.phase === "on" &&
      html`<button type="button" ref=${button} class="primary" aria-disabled=${live ? undefined : "true"} onClick=${take}>
          ${t("enroll.take_space")}
        </button>
        <label class="check">
          <input type="checkbox" checked=${byItself} onChange=${(event) => setByItself(event.target.checked)} /> ${t("enroll.by_itself")}
        </label>`}
    </p>
    ${hint && html`<p class="hint"><strong>${hint}</strong></p>`}
    ${camera.phase === "on" &&
    html`<ul class="poses" aria-label=${t("enroll.poses")}>
      ${POSES.map(
        (pose) => html`<li key=${pose} class=${poses.has(pose) ? "done" : undefined}>
          <span aria-hidden="true">${poses.has(pose) ? "●" : "○"}</span> ${t(`enroll.pose_${pose}`)}${" "}
          <span class="visually-hidden">${t(poses.has(pose) ? "enroll.pose_taken" : "enroll.pose_missing")}</span>
        </li>`,
      )}
    </ul>`}
    <${CameraTrouble} camera=${camera} onFile=${onFile} />
    <${ProblemNotice} problem=${problem} />
  </div>`;
}

/** What to do now, in words. */
function hintOf(seen, byItself, missing) {
  if (seen === null) return t("enroll.looking");
  const { judgement, place } = seen;
  if (judgement.kind === "none" || judgement.kind === "several") return wordsOf(judgement);
  if (place !== "good") return t(`enroll.place_${place}`);
  if (judgement.kind === "poor") return wordsOf(judgement);
  if (byItself && missing.length > 0 && !missing.includes(judgement.pose)) return t(`enroll.turn_${missing[0]}`);
  return t("enroll.good", { quality: Math.round(judgement.unified) });
}
