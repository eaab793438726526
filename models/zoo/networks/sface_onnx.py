"""SFace as a graph, in the form that suits each runtime.

ONNX Runtime keeps maps in blocks of channels, and rearranges a map twice for a PReLU between
convolutions. As `PReLU(x) = a x + (1 - a) ReLU(x)`, a PReLU can be two depthwise convolutions and a
sum, which keep the blocks; a depthwise convolution after it takes both factors into its weights.
OpenVINO computes a PReLU together with the convolution before it, and runs the plain network
faster.
"""

import numpy as np

from models.zoo.network import NetworkSpec
from models.zoo.networks.sface_weights import HALVING, WIDTHS
from models.zoo.serving.onnx_graph import OnnxGraph
from models.zoo.weights.arrays import Arrays, Convolution, Values, convolution, linear


def sface_graph(arrays: Arrays, spec: NetworkSpec, *, split_prelu: bool) -> bytes:
    """The graph, from crops as uint8 (N, side, side, 3), with normalisation.

    `split_prelu`: each PReLU is two convolutions, for ONNX Runtime.
    """
    side = spec.input.size_px
    graph = OnnxGraph("sface", "crops", side, side)
    mean, std = np.array([spec.input.mean, spec.input.std], dtype=np.float32)[:, :, None, None]
    # The mean is not folded: the convolution pads with 0, which is a normalised pixel's value.
    x = graph.add("Sub", graph.pixels, graph.constant(mean))
    stem = convolution(arrays, "stem.convolution", padding=1)
    x = graph.layer(x, stem, stem.weight / std)
    x = _blocks_split(graph, x, arrays) if split_prelu else _blocks(graph, x, arrays)
    x = graph.linear(graph.add("Flatten", x), linear(arrays, "project"))
    return graph.model({"embeddings": x})


def _blocks(graph: OnnxGraph, x: str, arrays: Arrays) -> str:
    """The blocks, from the output of the stem's convolution."""
    x = graph.prelu(x, _slopes(arrays, "stem"))
    for block in _names_of_blocks():
        x = graph.layer(x, _depthwise(arrays, block))
        x = graph.prelu(x, _slopes(arrays, f"{block}.depthwise"))
        x = graph.layer(x, convolution(arrays, f"{block}.pointwise.convolution"))
        x = graph.prelu(x, _slopes(arrays, f"{block}.pointwise"))
    return x


def _blocks_split(graph: OnnxGraph, x: str, arrays: Arrays) -> str:
    """The same, with each PReLU as a sum of two convolutions."""
    slopes = _slopes(arrays, "stem")
    for block in _names_of_blocks():
        wide = _depthwise(arrays, block)
        x = _split_prelu(graph, x, slopes, wide)
        plain = Convolution(
            np.ones((wide.groups, 1, 1, 1), dtype=np.float32), None, groups=wide.groups
        )
        x = _split_prelu(graph, x, _slopes(arrays, f"{block}.depthwise"), plain)
        x = graph.layer(x, convolution(arrays, f"{block}.pointwise.convolution"))
        slopes = _slopes(arrays, f"{block}.pointwise")
    # The last PReLU is plain, as the layers after it take the plain layout.
    return graph.prelu(x, slopes)


def _split_prelu(graph: OnnxGraph, x: str, slopes: Values, after: Convolution) -> str:
    """A PReLU, and the depthwise convolution after it."""
    factors = slopes[:, None, None, None]
    straight, positive = (
        graph.convolution(
            value,
            factor * after.weight,
            summand,
            stride=after.stride,
            padding=after.padding,
            groups=after.groups,
        )
        for value, factor, summand in (
            (x, factors, after.bias),
            (graph.add("Relu", x), 1 - factors, None),
        )
    )
    return graph.add("Add", straight, positive)


def _names_of_blocks() -> list[str]:
    return [f"blocks.{place}" for place in range(len(WIDTHS) - 1)]


def _depthwise(arrays: Arrays, block: str) -> Convolution:
    place = int(block.rpartition(".")[2])
    return convolution(
        arrays,
        f"{block}.depthwise.convolution",
        stride=2 if place + 1 in HALVING else 1,
        padding=1,
        groups=WIDTHS[place],
    )


def _slopes(arrays: Arrays, layer: str) -> Values:
    return arrays[f"{layer}.activation.weight"]
