/**
 * The photo by which one face of several is enrolled.
 *
 * The service enrolls photos of one face, or the largest face of a photo. So the largest face is
 * enrolled by the photo itself, byte for byte, and any other by a cut-out of it: in full resolution,
 * with the surroundings that a detector needs, but without its neighbours.
 */

import { Problem } from "./problem.js";
import { t } from "./text.js";

const AROUND = 0.8; // of the box's longer side, on each side
const LEAST_AROUND = 0.25;
const STEP = 0.05;
const JPEG_QUALITY = 0.98;

/**
 * @typedef {object} FacePhoto
 * @property {Blob} blob
 * @property {string} filename
 * @property {"single" | "largest"} faces the rule to send with it
 * @property {boolean} isCut
 * @property {(box: number[]) => number[]} inPhoto maps a box of what was sent to the whole photo
 */

/**
 * Make the photo of a face. Raises Problem where the browser cannot decode a photo that has to be cut.
 * @param {Blob} photo
 * @param {number[][]} boxes of all faces of the photo
 * @param {number} place of the face among them
 * @returns {Promise<FacePhoto>}
 */
export async function photoOfFace(photo, boxes, place) {
  const filename = photo.name ?? "photo.jpg";
  if (isLargest(boxes, place)) {
    const faces = boxes.length > 1 ? "largest" : "single";
    return { blob: photo, filename, faces, isCut: false, inPhoto: (box) => box };
  }
  let picture;
  try {
    picture = await createImageBitmap(photo); // upright, as the boxes are
  } catch {
    throw new Problem({ status: 422, code: "photo_not_cut", detail: t("camera.cannot_cut") });
  }
  const [left, top, right, bottom] = cutAround(boxes, place, picture);
  const canvas = new OffscreenCanvas(right - left, bottom - top);
  canvas.getContext("2d").drawImage(picture, -left, -top);
  picture.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
  const inPhoto = ([x1, y1, x2, y2]) => [x1 + left, y1 + top, x2 + left, y2 + top];
  return { blob, filename: `face-${place + 1}.jpg`, faces: "single", isCut: true, inPhoto };
}

const areaOf = ([x1, y1, x2, y2]) => (x2 - x1) * (y2 - y1);

/** Whether a face is clearly the largest; of two that are nearly as large, the service may see either so. */
function isLargest(boxes, place) {
  return boxes.every((box, other) => other === place || areaOf(box) < 0.9 * areaOf(boxes[place]));
}

/** The widest cut around a face that has no other face in it; whole pixels within the picture. */
export function cutAround(boxes, place, { width, height }) {
  const [x1, y1, x2, y2] = boxes[place];
  const side = Math.max(x2 - x1, y2 - y1);
  const others = boxes.filter((_, other) => other !== place);
  let cut = null;
  for (let around = AROUND; around >= LEAST_AROUND; around -= STEP) {
    const more = around * side;
    cut = [
      Math.max(0, Math.floor(x1 - more)),
      Math.max(0, Math.floor(y1 - more)),
      Math.min(width, Math.ceil(x2 + more)),
      Math.min(height, Math.ceil(y2 + more)),
    ];
    if (!others.some((box) => overlap(box, cut))) break;
  }
  return cut;
}

const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
