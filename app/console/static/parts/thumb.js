/**
 * The picture of a face: from a photo of this tab, else the service's crop, else initials.
 *
 * A crop is fetched when it comes into view, six at once, with the key; it is never stored.
 */

import { ask, inCollection } from "../core/api.js";
import { html, useEffect, useRef, useState } from "../core/html.js";
import { prefs } from "../core/prefs.js";
import { route } from "../core/router.js";
import { createSlots } from "../core/slots.js";
import { useStore } from "../core/store.js";
import { keepUrl, tabFace } from "../core/tab_photos.js";

const slots = createSlots(6);
const HUES = 12;

/** Up to two letters of a name, or of an id. */
function initials(name) {
  const words = name.normalize("NFC").split(/[\s._-]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0]).join("").toUpperCase();
}

/** One of a few colours, always the same for an id. */
function hue(id) {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.codePointAt(0)) % 100003;
  return sum % HUES;
}

/** Where the crop of an enrolled face is. */
export const cropOfFace = (identityId, faceId) =>
  inCollection(route.get().collection, "identities", identityId, "faces", faceId, "crop");

/** Where the crop of an unknown face is. */
export const cropOfUnknown = (groupId, faceId) =>
  inCollection(route.get().collection, "unknowns", groupId, "faces", faceId, "crop");

/**
 * @param {object} props
 * @param {string} props.id of the person or group: decides the colour of the initials
 * @param {string} [props.name] what the initials are of
 * @param {string | null} [props.faceId]
 * @param {string | null} [props.crop] path of the service's crop, where one is kept
 * @param {boolean} [props.large]
 */
export function Thumb({ id, name = "", faceId = null, crop = null, large = false }) {
  const { thumbnails } = useStore(prefs);
  const [url, setUrl] = useState(faceId && tabFace(faceId));
  const place = useRef(null);
  useEffect(() => {
    setUrl(faceId && tabFace(faceId));
    if (!thumbnails || faceId === null || crop === null || tabFace(faceId)) return undefined;
    const leaving = new AbortController();
    const load = async () => {
      try {
        const blob = await slots.run(() => ask({ path: crop, signal: leaving.signal, tries: 3 }), leaving.signal);
        keepUrl(faceId, URL.createObjectURL(blob));
        setUrl(tabFace(faceId));
      } catch {
        // Initials stand for a crop that is not kept, or not any more.
      }
    };
    const watch = new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting) return;
      watch.disconnect();
      load();
    });
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      leaving.abort();
    };
  }, [faceId, crop, thumbnails]);
  const kind = large ? "thumb large" : "thumb";
  return html`<span ref=${place} class=${kind} data-hue=${hue(id)} aria-hidden="true">
    ${thumbnails && url ? html`<img src=${url} alt="" />` : initials(name) || "–"}
  </span>`;
}
