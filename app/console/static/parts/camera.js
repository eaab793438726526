/**
 * The camera of this computer: started by a click alone, and stopped when its page is left or
 * hidden, or after ten idle minutes. Stopped means that its tracks are ended, so its lamp goes out.
 *
 * See camera_view.js for what is shown, and camera_frames.js for frames one after the other.
 */

import { useCallback, useEffect, useRef, useState } from "../core/html.js";

const IDLE_MS = 10 * 60 * 1000;
const ACTIVITY = ["pointerdown", "pointermove", "keydown", "wheel"];
const LONGEST_SIDE = 1280;
const JPEG_QUALITY = 0.9;

/** The browser's names of what went wrong, and ours: each has a sentence in text/LANGUAGE/camera.js. */
const PROBLEMS = {
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotReadableError: "in_use",
  AbortError: "in_use",
};

const OFF = { phase: "off", frozen: false, problem: null, detail: "", stopped: null, size: null, devices: [], device: null };

/** Why no camera can be asked for here: the page has neither https nor localhost, or null. */
const obstacle = () => (navigator.mediaDevices === undefined ? (isSecureContext ? "none" : "insecure") : null);

/**
 * A frame, as it is sent.
 * @typedef {{blob: Blob, width: number, height: number}} Frame
 */

/**
 * The camera of a component; it is stopped when the component goes.
 *
 * `phase` is off, starting or on. `problem` is why it did not start: none, refused, in_use, insecure
 * or failed. `stopped` is why it was stopped without a click: hidden, idle or ended.
 * `isLive`: it is on and not frozen. `grab()` returns the present Frame, null while there is none.
 */
export function useCamera() {
  const [state, setState] = useState(OFF);
  const [mirrored, setMirrored] = useState(true);
  const video = useRef(null);
  const stream = useRef(null);
  const attempt = useRef(0); // a start that was overtaken by a stop ends its own tracks

  const stop = (why = null) => {
    attempt.current += 1;
    end(stream.current);
    stream.current = null;
    if (video.current) video.current.srcObject = null;
    setState((present) => ({ ...OFF, device: present.device, stopped: why }));
  };

  const start = async (device = state.device) => {
    stop();
    const blocked = obstacle();
    if (blocked !== null) return setState({ ...OFF, problem: blocked });
    const ours = attempt.current;
    setState((present) => ({ ...present, phase: "starting" }));
    try {
      const got = await navigator.mediaDevices.getUserMedia({ audio: false, video: wanted(device) });
      if (attempt.current !== ours) return end(got);
      got.getVideoTracks()[0].addEventListener("ended", () => stream.current === got && stop("ended"));
      const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
      if (attempt.current !== ours) return end(got);
      stream.current = got;
      const { facingMode } = got.getVideoTracks()[0].getSettings();
      setMirrored(facingMode !== "environment");
      setState({ ...OFF, phase: "on", devices, device });
    } catch (error) {
      if (attempt.current !== ours) return undefined;
      const problem = PROBLEMS[error.name] ?? "failed";
      setState({ ...OFF, problem, detail: error.message });
    }
    return undefined;
  };

  const freeze = (frozen) => {
    if (frozen) video.current?.pause();
    else video.current?.play();
    setState((present) => ({ ...present, frozen }));
  };

  /** The video element is there, or gone: show what the camera sees in it. */
  const attach = useCallback((element) => {
    video.current = element;
    if (element === null || stream.current === null || element.srcObject === stream.current) return;
    element.srcObject = stream.current;
    element.addEventListener("loadedmetadata", () => {
      setState((present) => ({ ...present, size: { width: element.videoWidth, height: element.videoHeight } }));
    });
    element.play().catch(() => {}); // it was stopped before its first picture
  }, []);

  useEffect(() => () => stop(), []);
  useStops(state.phase !== "off", stop);

  return {
    ...state,
    mirrored,
    isLive: state.phase === "on" && !state.frozen && state.size !== null,
    start,
    stop,
    freeze,
    setMirrored,
    attach,
    grab: (options) => grab(video.current, options),
  };
}

const wanted = (device) => ({
  width: { ideal: 1280 },
  height: { ideal: 720 },
  ...(device ? { deviceId: { exact: device } } : { facingMode: "user" }),
});

function end(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Stop the camera when the page is hidden, or when nothing was done for ten minutes. */
function useStops(active, stop) {
  const latest = useRef(stop);
  latest.current = stop;
  useEffect(() => {
    if (!active) return undefined;
    let timer = 0;
    const note = () => {
      clearTimeout(timer);
      timer = setTimeout(() => latest.current("idle"), IDLE_MS);
    };
    const onHidden = () => document.hidden && latest.current("hidden");
    const onLeave = () => latest.current();
    note();
    for (const kind of ACTIVITY) addEventListener(kind, note, { passive: true });
    document.addEventListener("visibilitychange", onHidden);
    addEventListener("pagehide", onLeave);
    return () => {
      clearTimeout(timer);
      for (const kind of ACTIVITY) removeEventListener(kind, note);
      document.removeEventListener("visibilitychange", onHidden);
      removeEventListener("pagehide", onLeave);
    };
  }, [active]);
}

/**
 * The present picture of a video as a JPEG, as the camera sees it: never mirrored.
 * @returns {Promise<Frame | null>}
 */
async function grab(video, { longestSide = LONGEST_SIDE } = {}) {
  if (!video?.videoWidth) return null;
  const scale = Math.min(1, longestSide / Math.max(video.videoWidth, video.videoHeight));
  const width = Math.round(video.videoWidth * scale);
  const height = Math.round(video.videoHeight * scale);
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").drawImage(video, 0, 0, width, height);
  return { blob: await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY }), width, height };
}
