"""The peer: the `face_recognition` package behind FastAPI, served with care.

    PEER_GALLERY=gallery.npy uvicorn benchmarks.speed.peer_service:app --workers 2
    python -m benchmarks.speed.peer_service ROWS.npy < PHOTO_PATHS

The steps are that package's defaults, called in dlib directly: the HOG frontal detector on the
photo enlarged once, the 5-point predictor ("small", the quicker of the package's two),
dlib's ResNet without jitter, and a linear search by Euclidean distance with 0.6 as the threshold.

Chosen in its favour: models are loaded once a process. There is a process a core, since dlib's
network lets no other thread of Python run; each takes one photo at a time, because several would
only compete for its core, and each takes a gigabyte or more when it has 12 megapixels. Distances
are one matrix operation in float32, and all faces of a photo go to the network in one call.
Decoding is Pillow's, as in the package. PEER_MAX_SIDE_PX shrinks larger photos first, which the
package itself does not.
"""

import io
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import dlib
import face_recognition_models as models
import numpy as np
from fastapi import FastAPI, UploadFile
from numpy.typing import NDArray
from PIL import Image

DIMENSION = 128
THRESHOLD = 0.6
_UPSAMPLE = 1
_JITTERS = 1  # in dlib as in the package: one means none

app = FastAPI()

_max_side_px = int(os.environ.get("PEER_MAX_SIDE_PX", "0"))
_predictor = dlib.shape_predictor(models.pose_predictor_five_point_model_location())
_network = dlib.face_recognition_model_v1(models.face_recognition_model_location())
_detector = dlib.get_frontal_face_detector()
_turn = Lock()


def _load_gallery() -> tuple[NDArray[np.float32], list[str]]:
    """Rows of the .npy file, and the names in the .json file next to it."""
    path = os.environ.get("PEER_GALLERY")
    if path is None:
        return np.empty((0, DIMENSION), np.float32), []
    names = json.loads(Path(path).with_suffix(".json").read_text(encoding="utf-8"))
    return np.load(path).astype(np.float32), names


_gallery, _names = _load_gallery()


@app.get("/readyz")
def ready() -> dict[str, str]:
    return {"status": "ready"}


@app.post("/identify")
def identify(file: UploadFile) -> dict[str, Any]:
    """Every face of the photo with the person nearest to it."""
    with _turn:
        boxes, rows = _faces(file.file.read())
        return {"faces": [_nearest(box, row) for box, row in zip(boxes, rows, strict=True)]}


def _nearest(box: tuple[float, ...], row: NDArray[np.float32]) -> dict[str, Any]:
    distances = np.linalg.norm(_gallery - row, axis=1)
    best = int(np.argmin(distances))
    distance = float(distances[best])
    return {
        "box": box,
        "name": _names[best] if distance <= THRESHOLD else "unknown",
        "nearest": _names[best],
        "distance": distance,
    }


def _faces(photo: bytes) -> tuple[list[tuple[float, ...]], NDArray[np.float32]]:
    """Boxes as left, top, right, bottom, and embeddings, (N, DIMENSION)."""
    pixels, scale = _decoded(photo)
    found = _detector(pixels, _UPSAMPLE)
    shapes = dlib.full_object_detections()
    for box in found:
        shapes.append(_predictor(pixels, box))
    boxes = [
        tuple(side / scale for side in (box.left(), box.top(), box.right(), box.bottom()))
        for box in found
    ]
    if not boxes:
        return [], np.empty((0, DIMENSION), np.float32)
    rows = _network.compute_face_descriptor(pixels, shapes, _JITTERS)
    return boxes, np.array(rows, dtype=np.float32)


def _decoded(photo: bytes) -> tuple[NDArray[np.uint8], float]:
    with Image.open(io.BytesIO(photo)) as image:
        picture = image.convert("RGB")
    scale = _max_side_px / max(picture.size) if _max_side_px else 1.0
    if scale >= 1.0:
        return np.asarray(picture), 1.0
    size = (round(picture.width * scale), round(picture.height * scale))
    return np.asarray(picture.resize(size, Image.Resampling.BOX)), scale


def _row(path: str) -> NDArray[np.float32]:
    """The embedding of a photo's largest face; NaN without one."""
    boxes, rows = _faces(Path(path).read_bytes())
    if not boxes:
        return np.full(DIMENSION, np.nan, np.float32)
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
    return np.asarray(rows[int(np.argmax(areas))])


def embed_files() -> None:
    """Embed the photos whose paths come in, one a line, to rows in a .npy file."""
    paths = sys.stdin.read().splitlines()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(_row, paths, chunksize=4))
    np.save(sys.argv[1], np.array(rows, np.float32).reshape(-1, DIMENSION))
    blas = any(getattr(dlib, name, False) for name in ("DLIB_USE_BLAS", "DLIB_USE_MKL"))
    print(json.dumps({"dlib": dlib.__version__, "blas": blas}))


if __name__ == "__main__":
    embed_files()
