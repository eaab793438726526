"""SCRFD's answers are decoded as InsightFace does it; other graphs are refused."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.zoo.detectors.scrfd import ScrfdNetwork, decoded
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit.liveness_graphs import save_liveness_graph
from tests.kit.scrfd_graphs import (
    SCRFD_INPUT,
    STRIDES,
    Encoded,
    save_constant_scrfd,
    save_red_cells_scrfd,
)

Floats = NDArray[np.float32]

_POINTS = np.array([[-1, -1], [1, -1], [0, 0], [-0.7, 1], [0.7, 1]], dtype=np.float32)


def _opened(path: Path) -> ScrfdNetwork:
    return ScrfdNetwork(path, SCRFD_INPUT, device="cpu", threads=CpuThreads())


def _naive(
    answers: list[Floats], width: int, height: int, least: float
) -> list[tuple[Floats, float, Floats]]:
    """Cell by cell and anchor by anchor."""
    found = []
    for level, stride in enumerate(STRIDES):
        place = 0
        for row in range(height // stride):
            for column in range(width // stride):
                for _ in range(2):
                    score = float(answers[level][place, 0])
                    left, top, right, bottom = answers[level + 3][place] * stride
                    x, y = column * stride, row * stride
                    box = np.array([x - left, y - top, x + right, y + bottom])
                    points = answers[level + 6][place].reshape(5, 2) * stride + [x, y]
                    if score >= least:
                        found.append((box, score, points))
                    place += 1
    return found


def test_decoding_agrees_with_a_loop_over_cells_and_anchors() -> None:
    rng = np.random.default_rng(0)
    width, height = 96, 64
    counts = [2 * (width // stride) * (height // stride) for stride in STRIDES]
    answers = [
        rng.uniform(0, 1, (count, values)).astype(np.float32)
        for values in (1, 4, 10)
        for count in counts
    ]
    found = decoded(answers, STRIDES, width=width, least_score=0.7)
    expected = _naive(answers, width, height, 0.7)
    assert 20 < len(expected) < sum(counts)
    assert np.allclose(found.boxes, [box for box, _, _ in expected], atol=1e-4)
    assert np.allclose(found.scores, [score for _, score, _ in expected])
    assert np.allclose(found.points, [points for _, _, points in expected], atol=1e-4)


@pytest.mark.parametrize("with_batch_axis", [False, True])
def test_face_comes_out_as_it_was_encoded_on_any_level(
    tmp_path: Path, with_batch_axis: bool
) -> None:
    faces = [
        Encoded((10, 12, 50, 60), _POINTS * 8 + [30, 36], 0.8, stride=8),
        Encoded((60, 20, 140, 110), _POINTS * 20 + [100, 65], 0.7, stride=16, anchor=1),
        Encoded((5, 5, 150, 120), _POINTS * 30 + [77, 62], 0.6, stride=32),
    ]
    path = save_constant_scrfd(
        tmp_path / "net.onnx", faces, size=(160, 128), with_batch_axis=with_batch_axis
    )
    network = _opened(path)
    assert network.size == (160, 128)
    found = network.look(np.zeros((128, 160, 3), dtype=np.uint8), least_score=0.5)
    assert np.allclose(found.boxes, [face.box for face in faces], atol=1e-4)
    assert np.allclose(found.points, [face.points for face in faces], atol=1e-4)
    assert np.allclose(found.scores, [0.8, 0.7, 0.6])


def test_picture_enters_as_rgb_about_zero(tmp_path: Path) -> None:
    path = save_red_cells_scrfd(tmp_path / "net.onnx", reach=(1, 1, 1, 1), points=_POINTS)
    network = _opened(path)
    assert network.size is None
    picture = np.zeros((64, 96, 3), dtype=np.uint8)
    picture[16:24, 40:48] = (255, 0, 0)  # column 5, row 2
    picture[40:48, 80:88] = (0, 0, 255)
    found = network.look(picture, least_score=0.6)
    assert found.boxes.tolist() == [[32, 8, 48, 24]] * 2  # of both anchors
    assert np.allclose(found.scores, 1 / (1 + np.exp(-8 * 127.5 / 128)), atol=1e-6)
    gray = np.full((64, 96, 3), 127, dtype=np.uint8)
    assert np.allclose(
        network.look(gray, least_score=0.1).scores[:10], 1 / (1 + np.exp(8 * 0.5 / 128)), atol=1e-6
    )


def test_missing_file_and_other_graphs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="there is no weights file"):
        _opened(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("not a graph")
    with pytest.raises(WeightsInvalidError, match="does not run on a picture"):
        _opened(tmp_path / "text.onnx")
    with pytest.raises(WeightsInvalidError, match="SCRFD with landmarks answers"):
        _opened(save_liveness_graph(tmp_path / "other.onnx"))
