/**
 * Boxes around the faces of a picture. They are drawn in the pixels of the answer's `image`, so they
 * fit at every size, zoom and EXIF turn. The state of a face is in the line, not in colour alone.
 */

import { html } from "../core/html.js";

/**
 * @typedef {object} BoxedFace
 * @property {string | number} key
 * @property {number[]} box [x1, y1, x2, y2] in pixels of the upright image
 * @property {"match" | "ambiguous" | "unknown" | "rejected" | "plain"} kind
 * @property {string} label
 */

/**
 * A picture or video with boxes over it. `children` is the <img>, <video> or <canvas>.
 * @param {{image: {width: number, height: number} | null, faces: BoxedFace[], mirrored?: boolean, children: unknown}} props
 */
export function FaceBoxes({ image, faces, mirrored = false, children }) {
  if (image === null) return html`<div class="picture">${children}</div>`;
  const { width, height } = image;
  // As wide as its greatest height allows: else a tall picture would be stretched.
  const shape = { aspectRatio: `${width} / ${height}`, maxInlineSize: `calc(var(--tallest, 70vh) * ${width / height})` };
  return html`<div class="picture" style=${shape}>
    ${children}
    <svg viewBox=${`0 0 ${width} ${height}`} aria-hidden="true" preserveAspectRatio="none">
      ${faces.map(({ key, box, kind }) => {
        const [x1, y1, x2, y2] = seen(box, width, mirrored);
        const at = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
        return html`<g key=${key} class=${`box ${kind}`}>
          <rect class="under" ...${at} />
          <rect ...${at} />
          ${kind === "rejected" && html`<path d=${`M${x1} ${y1}L${x2} ${y2}M${x2} ${y1}L${x1} ${y2}`} />`}
        </g>`;
      })}
    </svg>
    <ol class="box-labels" aria-hidden="true">
      ${faces
        .filter(({ label }) => label)
        .map(({ key, box, kind, label }) => {
          const [x1, y1, x2, y2] = seen(box, width, mirrored);
          const below = y1 / height < 0.1; // no room above it
          // Towards the middle of the picture, so that a long name is not cut off at its border.
          const start = x1 + x2 <= width;
          const side = start ? { left: `${(100 * x1) / width}%` } : { right: `${100 - (100 * x2) / width}%` };
          const top = below ? `${(100 * y2) / height}%` : `max(1.6rem, ${(100 * y1) / height}%)`;
          return html`<li key=${key} class=${`${kind} ${below ? "below" : ""}`} style=${{ ...side, top }}>
            ${label}
          </li>`;
        })}
    </ol>
  </div>`;
}

/** The box as it is seen: of a mirrored picture by arithmetic, as its labels are not mirrored. */
function seen([x1, y1, x2, y2], width, mirrored) {
  return mirrored ? [width - x2, y1, width - x1, y2] : [x1, y1, x2, y2];
}
