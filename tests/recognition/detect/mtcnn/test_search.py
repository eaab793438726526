"""Several pictures are searched together, with what each gives alone."""

import numpy as np
import pytest

from app.recognition.detect.found_faces import FoundFaces, Picture
from app.recognition.detect.mtcnn.search import find_faces
from models.zoo.detectors.mtcnn import MtcnnNetworks
from tests.kit.detectors import mtcnn_networks
from tests.kit.photos import another_photo, astronaut, coffee, group, hopper, pixels

PICTURES = [
    Picture(pixels(photo), smallest_px)
    for photo in (astronaut(), coffee(), group(), another_photo(hopper()))
    for smallest_px in (40, 90)
]


@pytest.fixture(scope="module", params=["torch", "onnxruntime"])
def networks(request: pytest.FixtureRequest) -> MtcnnNetworks:
    return mtcnn_networks(request.param)


def _assert_same(found: FoundFaces, expected: FoundFaces) -> None:
    assert len(found.boxes) == len(expected.boxes)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-2)
    np.testing.assert_allclose(found.points, expected.points, atol=1e-2)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)


def test_together_pictures_give_what_each_gives_alone(networks: MtcnnNetworks) -> None:
    together = find_faces(networks, PICTURES, least_score=0.9)
    for picture, found in zip(PICTURES, together, strict=True):
        (alone,) = find_faces(networks, [picture], least_score=0.9)
        _assert_same(found, alone)
    assert sum(len(found.boxes) for found in together) >= 6


def test_no_pictures_have_no_faces(networks: MtcnnNetworks) -> None:
    assert find_faces(networks, [], least_score=0.9) == []


def test_more_crops_than_one_pass_takes_are_judged_alike(
    networks: MtcnnNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    (expected,) = find_faces(networks, [PICTURES[4]], least_score=0.9)
    monkeypatch.setattr("models.zoo.detectors.mtcnn._MOST_CROPS", 3)
    (found,) = find_faces(networks, [PICTURES[4]], least_score=0.9)
    _assert_same(found, expected)
