"""A crop of a face, from which the crop of any network can be cut later; and its bytes."""

from io import BytesIO

import numpy as np
from PIL import Image

from app.recognition.align import align, similarity_transform
from app.recognition.types import Landmarks, Pixels, WideCrop
from models.zoo.network import InputSpec, Template
from models.zoo.templates import arcface_template

_SIZE_PX = 336
_FACE_PX = 224  # side of ArcFace's crop inside; the eyes are 70 pixels apart
_QUALITY = 95
_LANDMARK_BYTES = 5 * 2 * 4


def _template() -> Template:
    margin = (_SIZE_PX - _FACE_PX) / 2
    left, right, nose, mouth_left, mouth_right = (
        (x + margin, y + margin) for x, y in arcface_template(_FACE_PX)
    )
    return left, right, nose, mouth_left, mouth_right


WIDE = InputSpec(size_px=_SIZE_PX, template=_template(), mean=(0.0,) * 3, std=(1.0,) * 3)
"""Upright, with a margin of a quarter of ArcFace's crop on each side: templates differ by less."""


def cut_wide(photo: Pixels, landmarks: Landmarks) -> WideCrop:
    transform = similarity_transform(landmarks, np.asarray(WIDE.template))
    moved = landmarks @ transform[:, :2].T + transform[:, 2]
    return WideCrop(align(photo, landmarks, WIDE), moved.astype(np.float32))


def to_bytes(crop: WideCrop) -> bytes:
    """The landmarks as little-endian float32, and a JPEG."""
    buffer = BytesIO()
    Image.fromarray(crop.pixels).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return crop.landmarks.astype("<f4").tobytes() + buffer.getvalue()


def jpeg_in(data: bytes) -> bytes:
    """The JPEG in the bytes of `to_bytes`, as it is."""
    return data[_LANDMARK_BYTES:]


def from_bytes(data: bytes) -> WideCrop:
    """Read the bytes of `to_bytes`."""
    landmarks = np.frombuffer(data[:_LANDMARK_BYTES], dtype="<f4").reshape(5, 2)
    with Image.open(BytesIO(data[_LANDMARK_BYTES:]), formats=["JPEG"]) as image:
        pixels = np.asarray(image.convert("RGB"))
    return WideCrop(pixels, landmarks.astype(np.float32))
