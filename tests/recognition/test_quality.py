"""Each component of quality measures its own fault, and no other."""

import math
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from app.operations.policy.face_rules import QualityFilter
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.quality.assess import assess
from app.recognition.quality.scales import SCALES, Scale
from app.recognition.types import DetectedFace, FaceQuality, Pixels, QualityComponent
from benchmarks.accuracy.damage.bad_photos import BAD_PHOTOS
from tests.kit.photos import another_photo, astronaut, encoded, hopper, pixels

Damage = Callable[[Pixels, float], Pixels]

_PEOPLE = {"astronaut": astronaut, "hopper": hopper}


@pytest.fixture(scope="module", params=sorted(_PEOPLE))
def portrait(
    request: pytest.FixtureRequest, detector: CopyingDetector
) -> tuple[Pixels, DetectedFace]:
    """A photo and its face; both are as sharp and bright as they come."""
    photo = pixels(_PEOPLE[request.param]())
    (face,) = detector.detect(photo)
    return photo, face


def raw(quality: FaceQuality, component: QualityComponent) -> float:
    return quality.components[component].raw


def score(quality: FaceQuality, component: QualityComponent) -> float:
    return quality.components[component].score


def blurred(photo: Pixels, share: float) -> Pixels:
    """Blur by a share of 40 pixels, about the distance of the eyes."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), 40 * share), dtype=np.uint8)


def moved(photo: Pixels, length_px: float) -> Pixels:
    kernel = np.full((1, int(length_px)), 1 / int(length_px))
    return np.asarray(cv2.filter2D(photo, -1, kernel), dtype=np.uint8)


def noisy(photo: Pixels, deviation: float) -> Pixels:
    noise = np.random.default_rng(1).normal(0, deviation, photo.shape)
    return rounded(photo + noise)


def scaled(photo: Pixels, factor: float) -> Pixels:
    return rounded(photo * float(factor))


def flattened(photo: Pixels, factor: float) -> Pixels:
    return rounded(photo.mean() + (photo - photo.mean()) * factor)


def compressed(photo: Pixels, quality: float) -> Pixels:
    with Image.open(BytesIO(encoded(Image.fromarray(photo), quality=int(quality)))) as image:
        return pixels(image)


def rounded(values: np.ndarray) -> Pixels:
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


@pytest.mark.parametrize(
    ("component", "damage", "strengths"),
    [
        (QualityComponent.SHARPNESS, blurred, (0.06, 0.1, 0.15)),
        (QualityComponent.SHARPNESS, moved, (11, 17, 23)),
        (QualityComponent.NOISE, noisy, (40, 70, 120)),
        (QualityComponent.COMPRESSION, compressed, (4, 3, 2)),
        (QualityComponent.UNDEREXPOSURE, scaled, (0.35, 0.2, 0.05)),
        (QualityComponent.OVEREXPOSURE, scaled, (2.2, 3, 4.5)),
        (QualityComponent.CONTRAST, flattened, (0.3, 0.15, 0.06)),
    ],
)
def test_component_falls_with_its_own_damage(
    portrait: tuple[Pixels, DetectedFace],
    component: QualityComponent,
    damage: Damage,
    strengths: Sequence[float],
) -> None:
    photo, face = portrait
    steps = [assess(photo, face), *(assess(damage(photo, s), face) for s in strengths)]
    raws = [raw(step, component) for step in steps]
    scores = [score(step, component) for step in steps]
    if not SCALES[component].more_is_better:
        raws = [-value for value in raws]
    assert all(after < before for before, after in pairwise(raws)), raws
    assert all(after <= before for before, after in pairwise(scores)), scores
    assert scores[0] > 85
    assert scores[-1] < 40
    assert steps[-1].unified <= scores[-1]


def test_noise_does_not_make_a_soft_face_better(portrait: tuple[Pixels, DetectedFace]) -> None:
    photo, face = portrait
    soft = blurred(photo, 0.1)
    before = assess(soft, face)
    for deviation in (20, 40, 60):
        noisy_face = assess(noisy(soft, deviation), face)
        assert noisy_face.unified < max(before.unified, QualityFilter.FLOOR.least_score)
    sharp = raw(assess(photo, face), QualityComponent.SHARPNESS)
    still = raw(assess(noisy(photo, 40), face), QualityComponent.SHARPNESS)
    assert still == pytest.approx(sharp, rel=0.1)


@pytest.mark.parametrize("change", [lambda p: scaled(p, 0.5), lambda p: rounded(p * 0.8 + 25)])
def test_sharpness_hardly_depends_on_light(
    portrait: tuple[Pixels, DetectedFace], change: Callable[[Pixels], Pixels]
) -> None:
    photo, face = portrait
    before = raw(assess(photo, face), QualityComponent.SHARPNESS)
    assert raw(assess(change(photo), face), QualityComponent.SHARPNESS) == pytest.approx(
        before, rel=0.05
    )


def test_only_the_face_size_depends_on_the_resolution(
    portrait: tuple[Pixels, DetectedFace],
) -> None:
    photo, face = portrait
    before = assess(photo, face)
    height, width = photo.shape[:2]
    for factor in (2, 4):
        size = (width * factor, height * factor)
        larger = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        points = (face.landmarks + 0.5) * factor - 0.5
        box = tuple(edge * factor for edge in face.box)
        after = assess(larger, DetectedFace(box, points.astype(np.float32), face.score))  # type: ignore[arg-type]
        assert raw(after, QualityComponent.FACE_SIZE) == pytest.approx(
            factor * raw(before, QualityComponent.FACE_SIZE), rel=1e-3
        )
        for component in before.components:
            assert score(after, component) == pytest.approx(score(before, component), abs=4)


def test_face_size_falls_with_the_photo(detector: CopyingDetector) -> None:
    photo = astronaut()
    sizes, scores = [], []
    for side in (512, 256, 160):
        (face,) = detector.detect(pixels(photo.resize((side, side))))
        quality = assess(pixels(photo.resize((side, side))), face)
        sizes.append(raw(quality, QualityComponent.FACE_SIZE))
        scores.append(score(quality, QualityComponent.FACE_SIZE))
    assert sizes == pytest.approx([sizes[0], sizes[0] / 2, sizes[0] * 160 / 512], rel=0.05)
    assert scores[0] == 100
    assert scores[0] > scores[1] > scores[2]


def test_roll_is_the_angle_that_the_photo_is_turned_by(
    portrait: tuple[Pixels, DetectedFace],
) -> None:
    photo, face = portrait
    before = math.degrees(
        math.atan2(*reversed((face.landmarks[1] - face.landmarks[0]).astype(float)))
    )
    for degrees in (-60, -30, 20, 70):
        turned = turned_face(face, degrees)
        found = assess(photo, turned).components[QualityComponent.ROLL]
        assert found.raw == pytest.approx(abs(before + degrees), abs=0.01)
        others = (QualityComponent.YAW, QualityComponent.PITCH, QualityComponent.FACE_SIZE)
        for component in others:
            assert raw(assess(photo, turned), component) == pytest.approx(
                raw(assess(photo, face), component), rel=1e-3, abs=1e-3
            )


def turned_face(face: DetectedFace, degrees: float) -> DetectedFace:
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    centre = face.landmarks.mean(axis=0)
    points = (face.landmarks - centre) @ turn.T + centre
    return DetectedFace(face.box, points.astype(np.float32), face.score)


@pytest.mark.parametrize(
    ("component", "along"), [(QualityComponent.YAW, 0), (QualityComponent.PITCH, 1)]
)
def test_pose_falls_as_the_nose_leaves_the_middle(
    portrait: tuple[Pixels, DetectedFace], component: QualityComponent, along: int
) -> None:
    photo, face = portrait
    eyes = float(np.hypot(*(face.landmarks[1] - face.landmarks[0])))
    centred = face.landmarks.copy()
    centred[2] = face.landmarks[[0, 1, 3, 4]].mean(axis=0)
    found = []
    for share in (0.0, 0.3, 0.5, 0.7):
        points = centred.copy()
        points[2, along] += share * eyes
        found.append(assess(photo, DetectedFace(face.box, points, face.score)))
    scores = [score(one, component) for one in found]
    assert scores[0] == 100
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 40
    other = QualityComponent.PITCH if along == 0 else QualityComponent.YAW
    assert [raw(one, other) for one in found] == pytest.approx([raw(found[0], other)] * 4, abs=0.1)


def test_cropping_is_the_share_of_the_face_beyond_the_border(
    portrait: tuple[Pixels, DetectedFace],
) -> None:
    photo, face = portrait
    assert raw(assess(photo, face), QualityComponent.CROPPING) == 0
    middle = round(float(face.landmarks[:, 0].mean()))
    shares = []
    for start in (0, middle - 60, middle - 25, middle, middle + 40):
        moved_points = face.landmarks - np.array([start, 0], dtype=np.float32)
        cut = DetectedFace(face.box, moved_points, face.score)
        shares.append(raw(assess(photo[:, start:], cut), QualityComponent.CROPPING))
    assert shares == sorted(shares)
    assert shares[3] == pytest.approx(0.5, abs=0.1)
    assert shares[0] == 0
    assert shares[-1] > shares[3]


@pytest.mark.parametrize(
    "kind", ["mask", "plain mask", "hand", "sunglasses", "mask, blur of 2", "half hidden"]
)
def test_face_that_is_partly_covered_is_uneven(
    portrait: tuple[Pixels, DetectedFace], kind: str
) -> None:
    photo, face = portrait
    covered = BAD_PHOTOS[kind](photo, face.landmarks, np.random.default_rng(3))
    found = assess(covered, face)
    assert score(found, QualityComponent.OCCLUSION) < 40, raw(found, QualityComponent.OCCLUSION)


@pytest.mark.parametrize(
    "kind",
    [
        "untouched",
        "blur of 6",
        "motion of 21",
        "night, 12 % light",
        "noise of 60",
        "JPEG 8",
        "flat",
    ],
)
def test_fault_of_the_whole_photo_is_no_cover(
    portrait: tuple[Pixels, DetectedFace], kind: str
) -> None:
    photo, face = portrait
    bad = BAD_PHOTOS[kind](photo, face.landmarks, np.random.default_rng(3))
    assert score(assess(bad, face), QualityComponent.OCCLUSION) > 80


def test_detection_follows_the_detectors_score(portrait: tuple[Pixels, DetectedFace]) -> None:
    photo, face = portrait
    found = [
        assess(photo, DetectedFace(face.box, face.landmarks, value)) for value in (1, 0.98, 0.92)
    ]
    scores = [score(one, QualityComponent.DETECTION) for one in found]
    assert scores == pytest.approx([100, 60, 0])
    assert found[-1].unified == 0


def test_good_photos_are_good_in_everything(detector: CopyingDetector) -> None:
    for person in (astronaut(), hopper()):
        for photo in (person, another_photo(person)):
            (face,) = detector.detect(pixels(photo))
            quality = assess(pixels(photo), face)
            assert quality.unified > 80
            assert quality.unified == min(one.score for one in quality.components.values())


@given(
    photo=arrays(
        np.uint8,
        st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3)),
        elements=st.integers(0, 255),
        fill=st.integers(0, 255),
    ),
    points=arrays(np.float32, (5, 2), elements=st.floats(-50, 100, width=32)).filter(
        lambda points: bool(np.ptp(points, axis=0).all())
    ),
    detection=st.floats(0, 1),
)
def test_scores_are_finite_and_within_their_range_for_any_picture(
    photo: Pixels, points: np.ndarray, detection: float
) -> None:
    quality = assess(photo, DetectedFace((0, 0, 1, 1), points, detection))
    assert set(quality.components) == set(QualityComponent) - {QualityComponent.DISTINCTIVENESS}
    for component in quality.components.values():
        assert math.isfinite(component.raw)
        assert 0 <= component.score <= 100
    assert 0 <= quality.unified <= 100


@pytest.mark.parametrize("seed", range(3))
def test_noise_alone_is_no_face_of_any_quality(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    points = np.array([[38, 52], [74, 51], [56, 72], [42, 92], [71, 92]], dtype=np.float32)
    assert assess(noise, DetectedFace((0, 0, 112, 112), points, 1.0)).unified < 10


@given(scale=st.sampled_from(sorted(SCALES.values(), key=repr)), wanted=st.floats(0.01, 99.99))
def test_raw_value_of_a_score_scores_it(scale: Scale, wanted: float) -> None:
    assert scale.score(scale.raw(wanted)) == pytest.approx(wanted, abs=1e-6)
    assert scale.score(scale.worst) == 0
    assert scale.score(scale.best) == 100
