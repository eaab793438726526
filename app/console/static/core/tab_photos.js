/**
 * Faces cut from photos of this tab, by the id of the face. Nothing is stored.
 *
 * A face's box is in pixels of the upright photo, which is how browsers decode it.
 */

const MOST = 500;
const SIDE = 96;
const AROUND = 0.35; // of the box's size, on each side
const faces = new Map(); // face id -> object URL

/** The URL of a face of this tab, or undefined. */
export const tabFace = (faceId) => faces.get(faceId);

/**
 * Cut a face, and keep it under its id.
 * @param {Blob | ImageBitmap} photo
 * @param {number[]} box [x1, y1, x2, y2]
 */
export async function keepTabFace(faceId, photo, box) {
  const url = await cutFace(photo, box);
  if (url !== null) keepUrl(faceId, url);
}

export function keepUrl(faceId, url) {
  const former = faces.get(faceId);
  if (former) URL.revokeObjectURL(former);
  faces.delete(faceId);
  faces.set(faceId, url);
  if (faces.size > MOST) {
    const [oldest, gone] = faces.entries().next().value;
    faces.delete(oldest);
    URL.revokeObjectURL(gone);
  }
}

/** Forget faces, of people who were erased. */
export function forgetTabFaces(faceIds) {
  for (const id of faceIds) {
    const url = faces.get(id);
    if (url) URL.revokeObjectURL(url);
    faces.delete(id);
  }
}

/**
 * Cut a square around a box, as an object URL. Null where the browser cannot decode the photo.
 * @param {Blob | ImageBitmap} photo
 */
export async function cutFace(photo, [x1, y1, x2, y2], side = SIDE) {
  let picture;
  try {
    picture = photo instanceof ImageBitmap ? photo : await createImageBitmap(photo);
  } catch {
    return null; // HEIC, in most browsers
  }
  const size = Math.max(x2 - x1, y2 - y1) * (1 + 2 * AROUND);
  const [left, top] = [(x1 + x2 - size) / 2, (y1 + y2 - size) / 2];
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext("2d");
  context.drawImage(picture, left, top, size, size, 0, 0, side, side);
  if (picture !== photo) picture.close();
  return URL.createObjectURL(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 }));
}
