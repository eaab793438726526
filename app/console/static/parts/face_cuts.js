/** Faces of a photo, cut from it here. The photo is decoded once for all of them. */

import { html, useEffect, useState } from "../core/html.js";
import { cutFace } from "../core/tab_photos.js";

const MOST = 100;

/**
 * The addresses of cut faces, in the order of the boxes; an empty list until they are there, and
 * where the browser cannot decode the photo.
 * @param {Blob | null} photo
 * @param {number[][]} boxes
 * @returns {string[]}
 */
export function useFaceCuts(photo, boxes) {
  const [urls, setUrls] = useState([]);
  useEffect(() => {
    if (photo === null || boxes.length === 0) return undefined;
    let left = false;
    let made = [];
    const revoke = () => made.forEach((url) => URL.revokeObjectURL(url));
    cutAll(photo, boxes.slice(0, MOST)).then((cut) => {
      made = cut;
      if (left) revoke();
      else setUrls(cut);
    });
    return () => {
      left = true;
      setUrls([]);
      revoke();
    };
  }, [photo, boxes.join()]);
  return urls;
}

async function cutAll(photo, boxes) {
  let picture;
  try {
    picture = await createImageBitmap(photo);
  } catch {
    return []; // HEIC, in most browsers
  }
  try {
    return await Promise.all(boxes.map((box) => cutFace(picture, box)));
  } finally {
    picture.close();
  }
}

/** @param {{url?: string, large?: boolean}} props */
export const FaceCut = ({ url, large = false }) =>
  html`<span class=${large ? "thumb large" : "thumb"} aria-hidden="true">${url ? html`<img src=${url} alt="" />` : "–"}</span>`;
