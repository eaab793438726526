"""Liveness networks: colours, classes and batches as their spec says; other graphs are refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.zoo.catalogue.entry import LivenessInput
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.network import Crops
from models.zoo.networks.liveness import LivenessNetwork
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit.liveness_graphs import expected_scores, save_liveness_graph

_CARD = LivenessInput(crop_scale=2.7, size_px=80, colours="bgr")
_WEIGHTS = (3.0, -1.0, 5.0)


def _opened(path: Path, **changes: object) -> LivenessNetwork:
    return LivenessNetwork(
        "made-here",
        _CARD.model_copy(update=changes),
        path,
        device="cpu",
        threads=CpuThreads(),
    )


def _crops(count: int) -> Crops:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 200, (count, 1, 1, 3))
    return (colours + rng.integers(0, 56, (count, 80, 80, 3))).astype(np.uint8)


@pytest.mark.parametrize("one_at_a_time", [False, True])
@pytest.mark.parametrize("count", [0, 1, 70])
def test_score_is_the_probability_of_the_genuine_class_of_a_crop_in_bgr(
    tmp_path: Path, one_at_a_time: bool, count: int
) -> None:
    path = save_liveness_graph(tmp_path / "net.onnx", weights=_WEIGHTS, one_at_a_time=one_at_a_time)
    crops = _crops(count)
    assert np.allclose(_opened(path).scores(crops), expected_scores(crops, _WEIGHTS), atol=1e-5)


def test_spec_decides_class_colours_mean_and_std(tmp_path: Path) -> None:
    path = save_liveness_graph(tmp_path / "net.onnx", weights=_WEIGHTS)
    crops = _crops(4)
    attack = _opened(path, genuine_class=0).scores(crops)
    assert np.allclose(attack, (1 - expected_scores(crops, _WEIGHTS)) / 2, atol=1e-5)
    red_first = _opened(path, colours="rgb").scores(crops)
    assert np.allclose(red_first, expected_scores(crops[..., ::-1], _WEIGHTS), atol=1e-5)
    by_hand = expected_scores((crops.astype(np.float64) - 10) / 2, _WEIGHTS)  # type: ignore[arg-type]
    assert np.allclose(
        _opened(path, mean=(10.0,) * 3, std=(2.0,) * 3).scores(crops), by_hand, atol=1e-5
    )


def test_missing_file_and_file_that_is_no_graph_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match="there is no weights file"):
        _opened(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("not a graph")
    with pytest.raises(WeightsInvalidError, match="does not run on a crop"):
        _opened(tmp_path / "text.onnx")


def test_graph_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = save_liveness_graph(tmp_path / "net.onnx")
    with pytest.raises(WeightsInvalidError, match="at least 6 classes"):
        _opened(path, genuine_class=5)
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["c"])],
        "sum",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "ab"],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [1])],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9),
        tmp_path / "sum.onnx",
    )
    with pytest.raises(WeightsInvalidError, match="does not run on a crop"):
        _opened(tmp_path / "sum.onnx")
