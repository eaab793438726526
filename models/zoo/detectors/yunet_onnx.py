"""YuNet as a graph for ONNX Runtime, for pictures of any size."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from models.zoo.detectors.yunet import Floats, Pictures, YunetNetwork
from models.zoo.detectors.yunet_weights import LOW_WIDTHS, STRIDES
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.onnx_graph import OnnxGraph
from models.zoo.serving.onnx_session import open_on_cpu
from models.zoo.weights.arrays import Arrays, convolution


def open_yunet(weights: Arrays, *, threads: CpuThreads) -> YunetNetwork:
    """The network in ONNX Runtime, on the CPU."""
    session = open_on_cpu(yunet_graph(weights), threads)

    def run(pictures: Pictures) -> Iterator[tuple[Floats, Floats]]:
        results = session.run(None, {"pictures": pictures})
        return (
            (scores[:, 0], boxes)
            for scores, boxes in zip(results[0::2], results[1::2], strict=True)
        )

    return YunetNetwork(run)


def yunet_graph(weights: Arrays) -> bytes:
    """The graph, from pictures as uint8 (N, H, W, 3) to scores and boxes of the three levels."""
    graph = OnnxGraph("yunet", "pictures", "height", "width")
    stem = convolution(weights, "stem", stride=2, padding=1)
    x = graph.add("Relu", graph.layer(graph.pixels, stem))
    x = _half(graph, graph.add("Relu", _separable(graph, x, weights, "first")))
    for place in range(len(LOW_WIDTHS)):
        x = graph.add("Relu", _separable(graph, x, weights, f"low.{place}"))
    features = []
    for level in range(len(STRIDES)):
        x = _half(graph, x)
        for place in range(2):
            x = graph.add("Relu", _separable(graph, x, weights, f"levels.{level}.{place}"))
        features.append(x)
    levels: list[str] = []
    above = ""
    for level, feature in reversed(list(enumerate(features))):
        joined = graph.add("Add", feature, _twice(graph, above)) if above else feature
        above = graph.add("Relu", _separable(graph, joined, weights, f"laterals.{level}"))
        levels.insert(0, above)
    counts = graph.constant(np.array([1, 4, 1], dtype=np.int64))
    outputs = {}
    for level, (stride, values) in enumerate(zip(STRIDES, levels, strict=True)):
        cells = _separable(graph, values, weights, f"heads.{level}")
        face, box, thing = graph.add_split("Split", cells, counts, outputs=3, axis=1)
        both = graph.add("Mul", graph.add("Sigmoid", face), graph.add("Sigmoid", thing))
        outputs[f"scores_{stride}"] = graph.add("Sqrt", both)
        outputs[f"boxes_{stride}"] = box
    return graph.model(outputs)


def _separable(graph: OnnxGraph, x: str, weights: Arrays, name: str) -> str:
    wide = convolution(weights, f"{name}.depthwise", padding=1)
    deep = replace(wide, groups=len(wide.weight))
    return graph.layer(graph.layer(x, convolution(weights, f"{name}.pointwise")), deep)


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
