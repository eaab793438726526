"""Selections of the faces of a photo."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recognition.select import central_face, largest_face, largest_faces, only_face
from app.recognition.types import Box, DetectedFace, ImageSize

_SIZE = ImageSize(640, 480)


def _face(box: Box) -> DetectedFace:
    return DetectedFace(box, np.zeros((5, 2), dtype=np.float32), 0.99)


_BOXES = st.tuples(st.floats(0, 500), st.floats(0, 500), st.floats(1, 400), st.floats(1, 400)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
_LARGEST_FIRST = st.lists(_BOXES.map(_face), max_size=8).map(
    lambda faces: sorted(faces, key=lambda face: face.area_px, reverse=True)
)


@given(faces=_LARGEST_FIRST)
def test_only_face_takes_none_of_several(faces: list[DetectedFace]) -> None:
    assert list(only_face(faces, _SIZE)) == (faces if len(faces) == 1 else [])


@given(faces=_LARGEST_FIRST, count=st.integers(1, 10))
def test_largest_faces_are_no_smaller_than_those_left_out(
    faces: list[DetectedFace], count: int
) -> None:
    taken = list(largest_faces(count)(faces, _SIZE))
    left = [face for face in faces if not any(face is one for one in taken)]
    assert len(taken) == min(count, len(faces))
    assert all(one.area_px >= other.area_px for one in taken for other in left)
    assert list(largest_face(faces, _SIZE)) == taken[:1]


@given(faces=_LARGEST_FIRST)
def test_the_central_face_is_nearest_the_centre(faces: list[DetectedFace]) -> None:
    taken = central_face(faces, _SIZE)
    distances = []
    for face in faces:
        x1, y1, x2, y2 = face.box
        distances.append(np.hypot((x1 + x2) / 2 - 320, (y1 + y2) / 2 - 240))
    if not faces:
        assert list(taken) == []
        return
    (face,) = taken
    index = next(place for place, one in enumerate(faces) if one is face)
    assert distances[index] == pytest.approx(min(distances))
