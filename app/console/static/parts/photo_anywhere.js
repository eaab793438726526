/** Photos that are dropped anywhere on the page, or pasted from the clipboard. */

import { useEffect, useRef, useState } from "../core/html.js";

const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const isDialogOpen = () => document.querySelector("dialog[open]") !== null;

/**
 * Take photos from anywhere on the page. Returns whether one is dragged over it now.
 * @param {(file: File) => void} onFile
 */
export function usePhotoAnywhere(onFile) {
  const [over, setOver] = useState(false);
  const latest = useRef(onFile);
  latest.current = onFile;
  useEffect(() => {
    const take = (files) => files?.[0] && latest.current(files[0]);
    const onDragOver = (event) => {
      if (!holdsFiles(event) || isDialogOpen()) return;
      event.preventDefault(); // else the browser leaves the page, to show the file
      setOver(true);
    };
    const onDragLeave = (event) => event.relatedTarget === null && setOver(false);
    const onDrop = (event) => {
      setOver(false);
      if (event.defaultPrevented || !holdsFiles(event) || isDialogOpen()) return; // a field took it
      event.preventDefault();
      take(event.dataTransfer.files);
    };
    const onPaste = (event) => !isDialogOpen() && take(event.clipboardData?.files);
    const listeners = { dragover: onDragOver, dragleave: onDragLeave, drop: onDrop, paste: onPaste };
    for (const [kind, listener] of Object.entries(listeners)) addEventListener(kind, listener);
    return () => {
      for (const [kind, listener] of Object.entries(listeners)) removeEventListener(kind, listener);
    };
  }, []);
  return over;
}

/** The address of a blob, as long as the component shows it. @param {Blob | null} blob */
export function useObjectUrl(blob) {
  const [made, setMade] = useState({ blob: null, url: null });
  useEffect(() => {
    if (blob === null) return undefined;
    const url = URL.createObjectURL(blob);
    setMade({ blob, url });
    return () => URL.revokeObjectURL(url);
  }, [blob]);
  return made.blob === blob ? made.url : null;
}
