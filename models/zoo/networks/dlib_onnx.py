"""dlib's face ResNet as a graph, which runtimes for the CPU run faster than PyTorch."""

import numpy as np

from models.zoo.network import NetworkSpec
from models.zoo.networks.dlib_weights import BLOCKS, Block
from models.zoo.serving.onnx_graph import OnnxGraph
from models.zoo.weights.arrays import Arrays, Values, convolution, filter_sums, linear


def dlib_graph(arrays: Arrays, spec: NetworkSpec) -> bytes:
    """The graph, from crops as uint8 (N, side, side, 3); normalisation is part of the stem."""
    side = spec.input.size_px
    graph = OnnxGraph("dlib-resnet", "crops", side, side)
    stem = convolution(arrays, "stem", stride=2)
    x = graph.add("Relu", graph.layer(graph.pixels, stem, *_stem(arrays, spec)))
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    side = ((side - 7) // 2 + 1 - 3) // 2 + 1
    for number, block in enumerate(BLOCKS):
        x, side = _block(graph, x, arrays, f"blocks.{number}", block, side)
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x), axis=1)
    return graph.model({"embeddings": graph.linear(x, linear(arrays, "project"))})


def _stem(arrays: Arrays, spec: NetworkSpec) -> tuple[Values, Values]:
    """Weight and bias of the first convolution for pixels from 0 to 255.

    The convolution has no padding, so that the result is exact.
    """
    mean, std = np.array([spec.input.mean, spec.input.std], dtype=np.float32)[:, :, None, None]
    weight = arrays["stem.weight"] / std
    return weight, arrays["stem.bias"] - filter_sums(weight * mean)


def _block(
    graph: OnnxGraph, x: str, arrays: Arrays, name: str, block: Block, side: int
) -> tuple[str, int]:
    """A block of two convolutions; `side` is that of its input, and returned that of its output."""
    first = convolution(arrays, f"{name}.conv1", stride=block.stride, padding=block.padding)
    y = graph.add("Relu", graph.layer(x, first))
    y = graph.layer(y, convolution(arrays, f"{name}.conv2", padding=1))
    y_side = (side - 3) // 2 + 1 if block.halves else side
    skip, skip_side = x, side
    if block.halves:
        skip = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        skip_side = side // 2
    result = max(y_side, skip_side)
    y = _zero_padded(graph, y, channels=0, edge=result - y_side)
    skip = _zero_padded(graph, skip, channels=block.filters - block.inputs, edge=result - skip_side)
    return graph.add("Relu", graph.add("Add", y, skip)), result


def _zero_padded(graph: OnnxGraph, x: str, *, channels: int, edge: int) -> str:
    """Zeros in more channels, in rows below and in columns to the right."""
    if not channels and not edge:
        return x
    ends = np.array([0, 0, 0, 0, 0, channels, edge, edge], dtype=np.int64)
    return graph.add("Pad", x, graph.constant(ends))
