/** What is shown of a camera: its picture with boxes, its buttons, and why it does not start. */

import { html } from "../core/html.js";
import { loadTexts, t } from "../core/text.js";
import { FaceBoxes } from "./face_boxes.js";
import { Notice } from "./notice.js";
import { PhotoButton } from "./photo_button.js";

await loadTexts("camera");

/**
 * The picture of the camera, with boxes over it. Nothing while it is off.
 * @param {object} props
 * @param {ReturnType<typeof import("./camera.js").useCamera>} props.camera
 * @param {{width: number, height: number} | null} [props.image] the `image` of the answer
 * @param {import("./face_boxes.js").BoxedFace[]} [props.faces]
 */
export function CameraView({ camera, image = null, faces = [] }) {
  if (camera.phase !== "on") return null;
  return html`<${FaceBoxes} image=${image ?? camera.size} faces=${faces} mirrored=${camera.mirrored}>
    <div class="camera-picture" role="img" aria-label=${t("camera.preview")}>
      <video ref=${camera.attach} class=${camera.mirrored ? "mirrored" : undefined} muted playsinline aria-hidden="true"></video>
    </div>
  <//>`;
}

/** @param {{camera: ReturnType<typeof import("./camera.js").useCamera>, primary?: boolean, needs?: string, children?: unknown}} props */
export function CameraButtons({ camera, primary = true, needs, children }) {
  const on = camera.phase === "on";
  const starting = camera.phase === "starting";
  const text = on ? "camera.stop" : starting ? "camera.starting" : "camera.start";
  // One button for both, which is never disabled: the focus stays on it.
  return html`<button
      type="button"
      needs=${needs}
      class=${primary && !on ? "primary" : undefined}
      aria-disabled=${starting ? "true" : undefined}
      onClick=${() => (on ? camera.stop() : starting || camera.start())}
    >
      ${t(text)}
    </button>
    ${on &&
    html`<button type="button" aria-pressed=${camera.frozen ? "true" : "false"} onClick=${() => camera.freeze(!camera.frozen)}>
        ${t("camera.freeze")}
      </button>
      <button
        type="button"
        aria-pressed=${camera.mirrored ? "true" : "false"}
        onClick=${() => camera.setMirrored(!camera.mirrored)}
      >
        ${t("camera.mirror")}
      </button>
      ${camera.devices.length > 1 && html`<${DeviceMenu} camera=${camera} />`} ${children}`}`;
}

const DeviceMenu = ({ camera }) =>
  html`<select
    class="camera-device"
    aria-label=${t("camera.device")}
    value=${camera.device ?? ""}
    onChange=${(event) => camera.start(event.target.value)}
  >
    ${camera.device === null && html`<option value="">${t("camera.device_any")}</option>`}
    ${camera.devices.map(
      ({ deviceId, label }, place) =>
        html`<option value=${deviceId}>${label || t("camera.device_number", { number: place + 1 })}</option>`,
    )}
  </select>`;

/** Phones have a camera app, which a file field opens. A page without https needs it most. */
const hasCameraApp = () => matchMedia("(pointer: coarse)").matches;

/**
 * Why the camera did not start, or was stopped, with a way on. Nothing when all is well.
 * @param {{camera: ReturnType<typeof import("./camera.js").useCamera>, onFile: (file: File) => void}} props
 */
export function CameraTrouble({ camera, onFile }) {
  const { problem, stopped, detail } = camera;
  if (problem === null) {
    return stopped && html`<${Notice}><p>${t(`camera.stopped_${stopped}`)}</p><//>`;
  }
  const insecure = problem === "insecure";
  return html`<${Notice} kind="danger" title=${t(`camera.${problem}_title`)}>
    <p>${t(`camera.${problem}_text`, { detail })}</p>
    ${insecure && html`<${WaysToHttps} />`}
    <p class="row">
      ${!insecure && html`<button type="button" onClick=${() => camera.start()}>${t("frame.try_again")}</button>`}
      ${(insecure || hasCameraApp()) && html`<${PhotoButton} capture text=${t("camera.app")} onFile=${onFile} />`}
      <${PhotoButton} onFile=${onFile} />
    </p>
  <//>`;
}

function WaysToHttps() {
  const port = location.port || "80";
  return html`<ul>
    <li>${t("camera.insecure_tls")} <code>vultus serve --tls-cert FILE --tls-key FILE</code></li>
    <li>${t("camera.insecure_proxy")}</li>
    <li>${t("camera.insecure_tunnel")} <code>${`ssh -L ${port}:127.0.0.1:${port} ${location.hostname}`}</code></li>
    <li>${t("camera.insecure_app")}</li>
  </ul>`;
}
