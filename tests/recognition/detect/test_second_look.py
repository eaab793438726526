"""Smoothed and rolled copies of a picture are searched where YuNet finds nothing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.recognition.detect.detector_registry import DetectorOptions, load_mtcnn_networks
from app.recognition.detect.found_faces import FoundFaces, Picture
from app.recognition.detect.second_look import look_again
from app.recognition.detect.yunet_faces import find_faces
from app.recognition.device import limit_threads
from app.recognition.types import Pixels
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.yunet import YunetNetwork
from models.zoo.detectors.yunet_modules import torch_yunet
from models.zoo.detectors.yunet_weights import load_yunet
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit.detectors import make_detector
from tests.kit.photos import astronaut, coffee, hopper, pixels

_SMALLEST_PX = 40.0


@pytest.fixture(scope="module")
def networks() -> tuple[YunetNetwork, MtcnnNetworks]:
    limit_threads(1)
    options = DetectorOptions(
        device="cpu",
        onnx_runtime=False,
        threads=CpuThreads(1, 1),
        weights_dir=Path("unused"),
    )
    return torch_yunet(load_yunet(), device="cpu"), load_mtcnn_networks(options)


def _second_look(networks: tuple[YunetNetwork, MtcnnNetworks], *photos: Pixels) -> list[FoundFaces]:
    pictures = [Picture(photo, _SMALLEST_PX) for photo in photos]
    return look_again(*networks, pictures, least_score=0.9)


def _rolled(photo: Pixels, degrees: float) -> tuple[Pixels, cv2.typing.MatLike]:
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(photo, turn, (width, height)), dtype=np.uint8), turn


@pytest.mark.parametrize("degrees", [0, 45, -45])
def test_a_rolled_face_is_found_where_it_is(
    degrees: float, networks: tuple[YunetNetwork, MtcnnNetworks]
) -> None:
    upright = pixels(astronaut())
    (known,) = make_detector(name="mtcnn").detect(upright)
    photo, turn = _rolled(upright, degrees)
    (found,) = _second_look(networks, photo)
    assert len(found) == 1
    expected = known.landmarks @ turn[:, :2].T + turn[:, 2]
    eyes = np.hypot(*(known.landmarks[1] - known.landmarks[0]))
    assert np.hypot(*(found.points[0] - expected).T).mean() < 0.1 * eyes
    centre = (found.boxes[0, :2] + found.boxes[0, 2:]) / 2
    assert np.hypot(*(centre - expected.mean(axis=0))) < 0.5 * eyes


def test_a_face_that_noise_hides_at_first_is_found(
    networks: tuple[YunetNetwork, MtcnnNetworks],
) -> None:
    bright = pixels(astronaut())
    noise = np.random.default_rng(0).normal(0, 40, bright.shape)
    photo = np.clip(bright * 0.2 + noise, 0, 255).astype(np.uint8)
    (at_first,) = find_faces(*networks, [Picture(photo, _SMALLEST_PX)], least_score=0.9)
    assert not len(at_first)
    (found,) = make_detector(name="yunet").detect(photo)
    (known,) = make_detector(name="yunet").detect(bright)
    eyes = np.hypot(*(known.landmarks[1] - known.landmarks[0]))
    # In so much noise, the landmarks are less exact.
    assert np.hypot(*(found.landmarks - known.landmarks).T).mean() < 0.25 * eyes


def test_pictures_of_a_batch_give_what_each_gives_alone(
    networks: tuple[YunetNetwork, MtcnnNetworks],
) -> None:
    photos = [pixels(astronaut()), pixels(coffee()), _rolled(pixels(hopper()), 45)[0]]
    together = _second_look(networks, *photos)
    assert [len(faces) for faces in together] == [1, 0, 1]
    for photo, faces in zip(photos, together, strict=True):
        (alone,) = _second_look(networks, photo)
        np.testing.assert_allclose(faces.boxes, alone.boxes, atol=0.01)
        np.testing.assert_allclose(faces.points, alone.points, atol=0.01)


def test_a_photo_without_a_face_costs_three_small_copies_more(
    networks: tuple[YunetNetwork, MtcnnNetworks],
) -> None:
    yunet, located = networks

    class Counting:
        def __init__(self) -> None:
            self.pixels = 0

        def look(self, pictures: Pixels) -> object:
            self.pixels += pictures.shape[0] * pictures.shape[1] * pictures.shape[2]
            return yunet.look(pictures)

    counting = Counting()
    photo = np.zeros((1_000, 1_500, 3), dtype=np.uint8)
    look_again(counting, located, [Picture(photo, 40.0)], least_score=0.9)  # type: ignore[arg-type]
    assert counting.pixels <= 3 * 256 * 256
