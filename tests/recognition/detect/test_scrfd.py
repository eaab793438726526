"""SCRFD finds and reports faces in the shared detector; its graphs are made here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.errors import NetworkNotFetched
from app.recognition.build import build_detector
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detect.found_faces import Picture
from app.recognition.detect.scrfd_search import find_in_direction
from app.recognition.quality.assess import assess
from app.recognition.types import DetectedFace, Direction, Pixels, QualityComponent
from app.settings import DetectorSettings, Settings
from models.zoo.catalogue.entry import find_entry
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.detectors.scrfd import ScrfdNetwork
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit.catalogue_cards import catalogue_of
from tests.kit.detectors import make_detector
from tests.kit.fetched_networks import fetched_card
from tests.kit.photos import astronaut, group, pixels
from tests.kit.scrfd_graphs import SCRFD_INPUT, Encoded, save_constant_scrfd, save_red_cells_scrfd

_NAME = "scrfd-500m"
_SIDE = 640


@contextmanager
def _scrfd(folder: Path, faces: Sequence[Encoded], **options: Any) -> Iterator[CopyingDetector]:
    """The detector with a fetched graph for pictures of 640 x 640, which answers these faces."""
    weights_dir = folder / "weights"
    card = fetched_card(
        weights_dir,
        _NAME,
        lambda path: save_constant_scrfd(path, faces, size=(_SIDE, _SIDE)),
        kind="detector",
        mean=[127.5, 127.5, 127.5],
        std=[128.0, 128.0, 128.0],
        colours="rgb",
    )
    with catalogue_of(folder / "cards", card):
        chosen = DetectorSettings(name=_NAME, **options)
        yield build_detector(Settings(device="cpu", weights_dir=weights_dir, detector=chosen))


@pytest.fixture(scope="module")
def known() -> dict[str, tuple[Pixels, tuple[DetectedFace, ...]]]:
    """Photos and their faces by MTCNN."""
    mtcnn = make_detector(name="mtcnn")
    found = {}
    for name, photo in {"astronaut": pixels(astronaut()), "group": pixels(group())}.items():
        found[name] = (photo, mtcnn.detect(photo))
    return found


def _encoded(face: DetectedFace, photo: Pixels, score: float, **where: Any) -> Encoded:
    """A face of a photo as the graph answers it, which sees the photo enlarged to 640 px."""
    factor = _SIDE / max(photo.shape[:2])
    points = (face.landmarks + 0.5) * factor - 0.5
    return Encoded([edge * factor for edge in face.box], points, score, **where)


def test_faces_are_reported_with_scrfds_boxes_landmarks_and_scores(
    tmp_path: Path, known: dict[str, tuple[Pixels, tuple[DetectedFace, ...]]]
) -> None:
    photo, faces = known["group"]
    assert len(faces) == 2
    encoded = [
        _encoded(face, photo, score) for face, score in zip(faces, (0.72, 0.64), strict=True)
    ]
    with _scrfd(tmp_path, encoded) as detector:
        found = detector.detect(photo)
    assert [face.score for face in found] == pytest.approx([0.72, 0.64])
    for ours, theirs in zip(found, faces, strict=True):
        assert ours.box == pytest.approx(theirs.box, abs=1.0)
        assert np.allclose(ours.landmarks, theirs.landmarks, atol=0.5)
        assert ours.direction is Direction.UPRIGHT


def test_quality_rests_on_the_output_networks_probability_and_not_on_scrfds_score(
    tmp_path: Path, known: dict[str, tuple[Pixels, tuple[DetectedFace, ...]]]
) -> None:
    photo, (face,) = known["astronaut"]
    with _scrfd(tmp_path, [_encoded(face, photo, 0.6)]) as detector:
        (found,) = detector.detect(photo)
    assert found.certainty is not None
    assert found.certainty > 0.99
    detection = assess(photo, found).components[QualityComponent.DETECTION]
    assert detection.raw == found.certainty
    assert face.certainty is None


def test_each_face_is_reported_once_however_many_anchors_answer_it(
    tmp_path: Path, known: dict[str, tuple[Pixels, tuple[DetectedFace, ...]]]
) -> None:
    photo, (face,) = known["astronaut"]
    answers = [
        _encoded(face, photo, 0.7),
        _encoded(face, photo, 0.8, anchor=1),
        _encoded(face, photo, 0.75, column_shift=1),
        _encoded(face, photo, 0.6, stride=32),
    ]
    with _scrfd(tmp_path, answers) as detector:
        (found,) = detector.detect(photo)
    assert found.score == pytest.approx(0.8)


def test_score_below_half_counts_only_where_the_setting_says_so(
    tmp_path: Path, known: dict[str, tuple[Pixels, tuple[DetectedFace, ...]]]
) -> None:
    photo, (face,) = known["astronaut"]
    answers = [_encoded(face, photo, 0.45)]
    with _scrfd(tmp_path / "default", answers) as detector:
        assert detector.detect(photo) == ()
    with _scrfd(tmp_path / "lower", answers, min_score=0.4) as detector:
        assert len(detector.detect(photo)) == 1


def test_face_that_is_upside_down_is_found_with_its_direction(
    tmp_path: Path, known: dict[str, tuple[Pixels, tuple[DetectedFace, ...]]]
) -> None:
    photo, (face,) = known["astronaut"]
    # Whatever the picture shows, the graph answers the upright face: so it is right in the one
    # direction in which the picture is turned upright.
    upside_down = np.ascontiguousarray(np.rot90(photo, 2))
    with _scrfd(tmp_path, [_encoded(face, photo, 0.7)]) as detector:
        found = detector.detect(upside_down)
    best = max(found, key=lambda one: one.certainty or 0)
    height, width = photo.shape[:2]
    x1, y1, x2, y2 = face.box
    assert best.direction is Direction.UPSIDE_DOWN
    assert best.box == pytest.approx((width - x2, height - y2, width - x1, height - y1), abs=1.0)
    assert np.allclose(best.landmarks, [width - 1, height - 1] - face.landmarks, atol=0.5)


_RED_POINTS = np.array([[-2, -1], [2, -1.2], [0.3, 0.2], [-1.5, 2], [1.6, 2.2]], dtype=np.float32)


@pytest.fixture(scope="module")
def red_cells(tmp_path_factory: pytest.TempPathFactory) -> ScrfdNetwork:
    """Finds a face of 64 x 80 px around each cell of 8 px that is red, in pictures of any size."""
    path = tmp_path_factory.mktemp("scrfd") / "net.onnx"
    save_red_cells_scrfd(path, reach=(4, 4, 4, 6), points=_RED_POINTS)
    return ScrfdNetwork(path, SCRFD_INPUT, device="cpu", threads=CpuThreads())


def _with_a_red_cell(width: int, height: int, x: int, y: int, side: int = 8) -> Pixels:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[y : y + side, x : x + side] = (255, 0, 0)
    return picture


@pytest.mark.parametrize("direction", range(4))
def test_picture_of_any_size_is_searched_in_any_direction(
    red_cells: ScrfdNetwork, direction: int
) -> None:
    upright = _with_a_red_cell(301, 203, 80, 96)
    turned = np.ascontiguousarray(np.rot90(upright, -direction))
    found = find_in_direction(red_cells, Picture(turned, 40), least_score=0.9, direction=direction)
    expected_box = np.array([80 - 32, 96 - 32, 80 + 32, 96 + 48])
    expected_points = _RED_POINTS * 8 + [80, 96]
    # Turned back by the image of each point, pixel by pixel.
    mark = np.zeros((203, 301), dtype=np.int64)
    for number, (x, y) in enumerate(np.rint(expected_points).astype(int), start=1):
        mark[y, x] = number
    for number, (column, row) in enumerate(found.points[0], start=1):
        y, x = np.argwhere(np.rot90(mark, -direction) == number)[0]
        assert (column, row) == pytest.approx((x, y), abs=0.51)
    area = np.zeros((203, 301), dtype=bool)
    area[expected_box[1] : expected_box[3], expected_box[0] : expected_box[2]] = True
    rows, columns = np.nonzero(np.rot90(area, -direction))
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert found.boxes.tolist() == [list(edges)]
    assert found.quarters.tolist() == [direction]


def test_large_picture_is_searched_on_a_copy_of_640_and_for_small_faces_on_a_larger_one(
    red_cells: ScrfdNetwork,
) -> None:
    coarse = _with_a_red_cell(1280, 960, 320, 320, side=16)  # 8 px of the copy of 640
    (box,) = find_in_direction(red_cells, Picture(coarse, 40), least_score=0.9).boxes
    assert box == pytest.approx((320 - 64, 320 - 64, 320 + 64, 320 + 96), abs=1e-3)
    fine = _with_a_red_cell(1280, 960, 320, 320)
    assert len(find_in_direction(red_cells, Picture(fine, 40), least_score=0.9)) == 0
    (box,) = find_in_direction(red_cells, Picture(fine, 20), least_score=0.9).boxes
    assert box == pytest.approx((320 - 32, 320 - 32, 320 + 32, 320 + 48), abs=1e-3)


def test_face_smaller_than_the_smallest_is_not_reported(red_cells: ScrfdNetwork) -> None:
    picture = _with_a_red_cell(320, 320, 160, 160)
    assert len(find_in_direction(red_cells, Picture(picture, 80), least_score=0.9)) == 1
    assert len(find_in_direction(red_cells, Picture(picture, 81), least_score=0.9)) == 0


def test_detector_that_was_not_fetched_stops_the_start_and_is_named(tmp_path: Path) -> None:
    for name in ("scrfd-10g", "scrfd-500m"):
        chosen = Settings(device="cpu", weights_dir=tmp_path, detector=DetectorSettings(name=name))
        with pytest.raises(NetworkNotFetched) as caught:
            build_detector(chosen)
        assert caught.value.name == name
        assert caught.value.needs_acceptance


def test_cards_are_those_of_the_catalogue() -> None:
    for name in ("scrfd-10g", "scrfd-500m"):
        entry, card = find_entry(name), DETECTOR_CARDS[name]
        assert entry is not None
        assert entry.detector is not None
        assert card.digest == entry.sha256
        assert entry.detector.mean == (127.5, 127.5, 127.5)
        assert entry.detector.std == (128.0, 128.0, 128.0)
        assert entry.detector.colours == "rgb"


def test_small_photo_is_enlarged_for_a_graph_of_fixed_size(
    tmp_path: Path, known: dict[str, tuple[Pixels, tuple[DetectedFace, ...]]]
) -> None:
    photo, (face,) = known["astronaut"]
    small = pixels(Image.fromarray(photo).resize((256, 256)))
    with _scrfd(tmp_path, [_encoded(face, photo, 0.7)]) as detector:
        (found,) = detector.detect(small)
    assert found.box == pytest.approx([edge / 2 for edge in face.box], abs=0.5)
