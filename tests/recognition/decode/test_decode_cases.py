"""Files that people send and that were answered wrongly: each shows the face that is on it."""

from pathlib import Path
from typing import Final

import numpy as np
import pytest

from app.recognition.align import align
from app.recognition.decode.photo_file import DecodeLimits, PhotoFile
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.types import Box, Embedding, Photo
from models.zoo.network import Network

_CASES: Final = Path(__file__).parents[2] / "cases"
_BOXES: Final[dict[str, Box]] = {
    "no-end-marker.jpg": (143, 123, 259, 280),
    "gray-12-in-16-bit.png": (81, 68, 171, 183),
    "first-frame-blank.gif": (63, 55, 136, 147),
    "passport.jp2": (77, 65, 163, 176),
    "phone-48mp.heic": (3839, 2714, 4066, 2998),
}
"""Boxes of Eileen Collins's face on each, measured by eye."""
_ALIKE: Final = 0.95
"""Similarity that one pair of strangers in a million reaches."""


def _read(name: str) -> Photo:
    data = (_CASES / name).read_bytes()
    return PhotoFile(data, DecodeLimits(max_pixels=50_000_000, memory_bytes=1_000_000_000)).read()


def _only_face(
    name: str, detector: CopyingDetector, network: Network
) -> tuple[Photo, Box, Embedding]:
    photo = _read(name)
    (face,) = detector.detect(photo.pixels)
    crop = align(photo.pixels, face.landmarks, network.spec.input)
    (embedding,) = NetworkEmbedder(network).embed([crop])
    return photo, face.box, embedding


@pytest.mark.parametrize("name", _BOXES)
def test_the_face_is_found_at_its_place_and_recognised(
    name: str, detector: CopyingDetector, network: Network
) -> None:
    photo, box, embedding = _only_face(name, detector, network)
    side = _BOXES[name][2] - _BOXES[name][0]
    np.testing.assert_allclose(box, _BOXES[name], atol=0.1 * side)
    _, _, reference = _only_face("eileen.jpg", detector, network)
    assert embedding @ reference > _ALIKE
    assert photo.size.rows_decoded is None


def test_the_blank_frame_is_passed_over_and_the_answer_can_say_so() -> None:
    size = _read("first-frame-blank.gif").size
    assert (size.frames, size.frame_used) == (2, 1)
