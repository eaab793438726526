/** A photo with boxes over it. One that the browser cannot draw, as most HEIC, is a plain ground. */

import { html, useState } from "../core/html.js";
import { loadTexts, t } from "../core/text.js";
import { FaceBoxes } from "./face_boxes.js";
import { useObjectUrl } from "./photo_anywhere.js";

await loadTexts("camera");

/**
 * @param {object} props
 * @param {Blob} props.photo
 * @param {{width: number, height: number} | null} [props.image] the `image` of the answer
 * @param {import("./face_boxes.js").BoxedFace[]} [props.faces]
 * @param {(size: {width: number, height: number}) => void} [props.onSize] where the answer has no `image`
 */
export function PhotoPicture({ photo, image = null, faces = [], onSize }) {
  const url = useObjectUrl(photo);
  const [drawn, setDrawn] = useState({ photo: null, size: null, failed: false });
  const own = drawn.photo === photo ? drawn : { size: null, failed: false };
  const name = photo.name ?? "";
  if (own.failed) {
    return html`<${FaceBoxes} image=${image ?? { width: 4, height: 3 }} faces=${image ? faces : []}>
      <p class="plain-ground">${t("camera.photo_undrawable", { name })}</p>
    <//>`;
  }
  return html`<${FaceBoxes} image=${image ?? own.size} faces=${image ? faces : []}>
    ${url &&
    html`<img
      src=${url}
      alt=${t("camera.photo_alt", { name })}
      onLoad=${({ target }) => {
        const size = { width: target.naturalWidth, height: target.naturalHeight };
        setDrawn({ photo, failed: false, size });
        onSize?.(size);
      }}
      onError=${() => setDrawn({ photo, failed: true, size: null })}
    />`}
  <//>`;
}
