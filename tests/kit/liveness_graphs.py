"""Liveness networks made here: their scores are a known function of the crop."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.zoo.network import Crops
from tests.kit.fetched_networks import fetched_card

CROP_SCALES = {"near": 2.7, "wide": 4.0}


def save_liveness_graph(
    path: Path,
    *,
    weights: tuple[float, float, float] = (0.0, 0.0, 1.0),
    one_at_a_time: bool = False,
) -> Path:
    """A network of 80 px whose logit of class 1 is a weighted mean of blue, green and red.

    `weights` are in this order, and a colour counts from -1 (0) to 1 (255). The logits of the other
    classes are 0.
    """
    batch = 1 if one_at_a_time else "batch"
    matrix = np.zeros((3, 3), dtype=np.float32)
    matrix[:, 1] = np.asarray(weights) / 127.5
    shift = np.array([0.0, -sum(weights), 0.0], dtype=np.float32)
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["colour"]),
        helper.make_node("Gemm", ["colour", "matrix", "shift"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "liveness",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, 80, 80])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, 3])],
        [numpy_helper.from_array(matrix, "matrix"), numpy_helper.from_array(shift, "shift")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def expected_scores(
    crops: Crops, weights: tuple[float, float, float] = (0.0, 0.0, 1.0)
) -> NDArray[np.float64]:
    """Compute the answer of such a network for RGB crops by hand."""
    scores = []
    for crop in crops:
        red, green, blue = crop.reshape(-1, 3).astype(np.float64).mean(axis=0) / 127.5 - 1
        logit = weights[0] * blue + weights[1] * green + weights[2] * red
        scores.append(np.exp(logit) / (np.exp(logit) + 2))
    return np.array(scores)


def fetched_liveness(weights_dir: Path, name: str, weights: tuple[float, float, float]) -> str:
    """Put such a network where a fetched one lies; its card, as TOML."""
    return fetched_card(
        weights_dir,
        name,
        lambda path: save_liveness_graph(path, weights=weights),
        kind="liveness",
        size_px=80,
        crop_scale=CROP_SCALES[name],
        colours="bgr",
    )
