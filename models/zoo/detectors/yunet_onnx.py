"""YuNet as a graph for ONNX Runtime, for pictures of any size."""

from collections.abc import Iterator

import numpy as np
from torch import nn

from models.zoo.detectors.yunet import Floats, Pictures, YunetNetwork
from models.zoo.detectors.yunet_modules import STRIDES, Separable, Yunet
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.onnx_graph import OnnxGraph
from models.zoo.serving.onnx_session import open_on_cpu


def open_yunet(network: Yunet, *, threads: CpuThreads) -> YunetNetwork:
    """The network in ONNX Runtime, on the CPU."""
    session = open_on_cpu(yunet_graph(network), threads)

    def run(pictures: Pictures) -> Iterator[tuple[Floats, Floats]]:
        results = session.run(None, {"pictures": pictures})
        return (
            (scores[:, 0], boxes)
            for scores, boxes in zip(results[0::2], results[1::2], strict=True)
        )

    return YunetNetwork(run)


def yunet_graph(network: Yunet) -> bytes:
    """The graph, from pictures as uint8 (N, H, W, 3) to scores and boxes of the three levels."""
    graph = OnnxGraph("yunet", "pictures", "height", "width")
    x = graph.add("Relu", graph.layer(graph.pixels, network.stem))
    x = _half(graph, graph.add("Relu", _separable(graph, x, network.first)))
    for unit in network.low:
        x = graph.add("Relu", _separable(graph, x, unit))
    features = []
    for level in network.levels:
        x = _half(graph, x)
        for unit in level:  # type: ignore[attr-defined]
            x = graph.add("Relu", _separable(graph, x, unit))
        features.append(x)
    levels: list[str] = []
    above = ""
    for feature, lateral in reversed(list(zip(features, network.laterals, strict=True))):
        joined = graph.add("Add", feature, _twice(graph, above)) if above else feature
        above = graph.add("Relu", _separable(graph, joined, lateral))
        levels.insert(0, above)
    counts = graph.constant(np.array([1, 4, 1], dtype=np.int64))
    outputs = {}
    for stride, values, head in zip(STRIDES, levels, network.heads, strict=True):
        face, box, thing = graph.add_split(
            "Split", _separable(graph, values, head), counts, outputs=3, axis=1
        )
        both = graph.add("Mul", graph.add("Sigmoid", face), graph.add("Sigmoid", thing))
        outputs[f"scores_{stride}"] = graph.add("Sqrt", both)
        outputs[f"boxes_{stride}"] = box
    return graph.model(outputs)


def _separable(graph: OnnxGraph, x: str, unit: nn.Module) -> str:
    assert isinstance(unit, Separable)
    return graph.layer(graph.layer(x, unit.pointwise), unit.depthwise)


def _half(graph: OnnxGraph, x: str) -> str:
    return graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])


def _twice(graph: OnnxGraph, x: str) -> str:
    scales = graph.constant(np.array([1, 1, 2, 2], dtype=np.float32))
    return graph.add(
        "Resize",
        x,
        "",
        scales,
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
