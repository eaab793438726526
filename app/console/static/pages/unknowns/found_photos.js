/**
 * Photos of a folder on this machine, by their SHA-256: an unknown face names that of its photo.
 * Nothing is uploaded, and nothing is kept but references to the files, as long as the tab is open.
 */

import { useEffect, useState } from "../../core/html.js";
import { createSlots } from "../../core/slots.js";
import { createStore, useStore } from "../../core/store.js";
import { keepTabFace, tabFace } from "../../core/tab_photos.js";

const AT_ONCE = 2; // a photo is wholly in memory while it is hashed
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** SHA-256 -> File. */
export const foundPhotos = createStore(new Map());

/** Whether this page may hash: browsers allow it on https and localhost only. */
export const canHash = () => globalThis.crypto?.subtle !== undefined;

async function sha256(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => HEX[byte]).join("");
}

/** What may be a photo; some systems know no type for HEIC. */
export const mayBePhoto = ({ file }) => file.type === "" || file.type.startsWith("image/");

/**
 * Hash photos. Those that cannot be read are left out, and counted.
 * @param {import("../../core/dropped_folders.js").FoundFile[]} files
 * @param {{signal: AbortSignal, onProgress: (done: number) => void}} options
 * @returns {Promise<{unreadable: number}>}
 */
export async function lookThrough(files, { signal, onProgress }) {
  const slots = createSlots(AT_ONCE);
  const known = new Map(foundPhotos.get());
  let [done, unreadable] = [0, 0];
  await Promise.all(
    files.map(({ file }) =>
      slots.run(async () => {
        try {
          known.set(await sha256(file), file);
        } catch {
          unreadable += 1; // moved or locked since the folder was chosen
        }
        done += 1;
        onProgress(done);
      }, signal),
    ),
  ).catch((error) => {
    if (!signal.aborted) throw error; // stopped: what was hashed by then counts
  });
  foundPhotos.set(known);
  return { unreadable };
}

/**
 * Cut the faces out of photos that were found. Returns a number that changes with each that is cut.
 * @param {{id: string, box: number[] | null, image_sha256: string}[]} faces
 */
export function useCutFaces(faces) {
  const photos = useStore(foundPhotos);
  const [cut, setCut] = useState(0);
  useEffect(() => {
    let shown = true;
    (async () => {
      for (const { id, box, image_sha256: hash } of faces) {
        if (!shown) return;
        if (box === null || !photos.has(hash) || tabFace(id)) continue;
        await keepTabFace(id, photos.get(hash), box);
        if (shown) setCut((times) => times + 1);
      }
    })();
    return () => {
      shown = false;
    };
  }, [faces, photos]);
  return cut;
}
