"""The crop shows the face where the template says, sharp and free of aliasing."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.recognition.align import align, similarity_transform
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.types import Landmarks
from models.zoo.network import InputSpec
from models.zoo.templates import DLIB_150, FACENET_160, arcface_template
from tests.kit.photos import Rgb, astronaut, hopper, pixels

_NO_NORM = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_DLIB = InputSpec(150, DLIB_150, *_NO_NORM)
_FACENET = InputSpec(160, FACENET_160, *_NO_NORM)
_TINY = InputSpec(32, arcface_template(32), *_NO_NORM)


def _placed(spec: InputSpec, *, angle: float, scale: float, at: tuple[float, float]) -> Landmarks:
    """The template as it lies in a photo: `scale` times as large, turned and shifted."""
    template = np.asarray(spec.template)
    turned = (template - template.mean(axis=0)) @ np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )
    made: Landmarks = (turned * scale + at).astype(np.float32)
    return made


def _dot(centre: NDArray[np.float32], size: int, width: float) -> Rgb:
    """A soft white dot on black."""
    y, x = np.mgrid[:size, :size]
    bright = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * width**2))
    return np.repeat(np.rint(255 * bright).astype(np.uint8)[:, :, None], 3, axis=2)


def _centre_of_light(crop: Rgb) -> NDArray[np.float64]:
    light = crop[:, :, 0].astype(np.float64)
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]]
    made: NDArray[np.float64] = np.array([(x * light).sum(), (y * light).sum()]) / light.sum()
    return made


@pytest.mark.parametrize("spec", [_DLIB, _FACENET], ids=["dlib", "facenet"])
@pytest.mark.parametrize(("scale", "angle"), [(0.5, 0.0), (1.0, 0.3), (2.3, -0.7), (4.0, 2.5)])
def test_landmarks_land_on_the_template(spec: InputSpec, scale: float, angle: float) -> None:
    landmarks = _placed(spec, angle=angle, scale=scale, at=(402.3, 377.9))
    for landmark, wanted in zip(landmarks, spec.template, strict=True):
        crop = align(_dot(landmark, 800, width=3 * scale), landmarks, spec)
        np.testing.assert_allclose(_centre_of_light(crop), wanted, atol=0.1)


def test_a_crop_is_8_bit_rgb_of_the_networks_size(detector: CopyingDetector) -> None:
    photo = pixels(astronaut())
    (face,) = detector.detect(photo)
    for spec in (_DLIB, _FACENET, _TINY):
        crop = align(photo, face.landmarks, spec)
        assert crop.shape == (spec.size_px, spec.size_px, 3)
        assert crop.dtype == np.uint8


def test_landmarks_on_the_template_leave_the_picture_as_it_is() -> None:
    photo = pixels(astronaut())[:150, :150]
    crop = align(photo, np.asarray(DLIB_150, dtype=np.float32), _DLIB)
    np.testing.assert_array_equal(crop, photo)


def test_a_large_face_is_cut_as_from_a_photo_reduced_first(detector: CopyingDetector) -> None:
    (face,) = detector.detect(pixels(hopper()))
    transform = similarity_transform(face.landmarks, np.asarray(_TINY.template))
    assert np.hypot(*transform[:, 0]) < 0.13
    direct = align(pixels(hopper()), face.landmarks, _TINY)
    reduced = pixels(hopper().reduce(8))
    from_reduced = align(reduced, ((face.landmarks + 0.5) / 8 - 0.5).astype(np.float32), _TINY)
    plain = cv2.warpAffine(pixels(hopper()), transform, (32, 32), flags=cv2.INTER_LINEAR)
    difference = np.abs(direct.astype(float) - from_reduced).mean()
    assert difference < 7
    assert difference < np.abs(plain.astype(float) - from_reduced).mean() / 2


def test_a_fine_checkerboard_shrinks_to_gray() -> None:
    y, x = np.mgrid[:600, :600]
    board = np.repeat(((x + y) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    landmarks = _placed(_DLIB, angle=0.0, scale=3.1, at=(300.2, 300.4))
    crop = align(board, landmarks, _DLIB).astype(float)
    transform = similarity_transform(landmarks, np.asarray(DLIB_150))
    plain = cv2.warpAffine(board, transform, (150, 150), flags=cv2.INTER_LINEAR).astype(float)
    assert np.abs(crop - 127.5).mean() < 5
    assert np.abs(plain - 127.5).mean() > 25


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_what_lies_outside_the_photo_is_black(scale: float) -> None:
    photo = np.full((400, 400, 3), 255, dtype=np.uint8)
    landmarks = _placed(_DLIB, angle=0.4, scale=scale, at=(0.0, 200.0))
    crop = align(photo, landmarks, _DLIB)
    transform = similarity_transform(landmarks, np.asarray(DLIB_150))
    inverse = cv2.invertAffineTransform(transform)
    y, x = np.mgrid[:150, :150]
    x_in_photo = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
    y_in_photo = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    margin = 2 * max(scale, 1)
    inside = (x_in_photo > margin) & (np.abs(y_in_photo - 199.5) < 199.5 - margin)
    outside = (x_in_photo < -margin) | (np.abs(y_in_photo - 199.5) > 199.5 + margin)
    assert inside.sum() > 1_000
    assert outside.sum() > 1_000
    assert (crop[inside] == 255).all()
    assert (crop[outside] == 0).all()


@pytest.mark.parametrize("scale", [0.5, 3.0])
@pytest.mark.parametrize("at", [(-5_000.0, 100.0), (100.0, 9_000.0), (7_000.0, -7_000.0)])
def test_landmarks_off_the_photo_give_a_black_crop(at: tuple[float, float], scale: float) -> None:
    photo = np.full((300, 300, 3), 255, dtype=np.uint8)
    crop = align(photo, _placed(_DLIB, angle=0.2, scale=scale, at=at), _DLIB)
    assert crop.shape == (150, 150, 3)
    assert not crop.any()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
def test_a_face_on_a_sliver_of_a_photo_does_not_raise(size: tuple[int, int]) -> None:
    photo = np.full((*size, 3), 255, dtype=np.uint8)
    landmarks = _placed(_DLIB, angle=0.0, scale=4.0, at=(size[1] / 2, size[0] / 2))
    assert align(photo, landmarks, _DLIB).shape == (150, 150, 3)


def test_landmarks_at_one_point_are_refused() -> None:
    with pytest.raises(ValueError, match="at one point"):
        align(pixels(astronaut()), np.full((5, 2), 60, dtype=np.float32), _DLIB)
