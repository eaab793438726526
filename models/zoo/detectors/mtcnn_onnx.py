"""MTCNN's networks as graphs for ONNX Runtime."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.zoo.detectors.mtcnn import Floats, MtcnnNetworks
from models.zoo.detectors.mtcnn_weights import Cascade, MtcnnWeights
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.onnx_graph import OnnxGraph
from models.zoo.serving.onnx_session import open_on_cpu
from models.zoo.weights.arrays import Convolution, Values, convolution, linear

_BLOCK: Final = 8
"""Channels in a block of the runtime, or a multiple of them."""

_POOLING_STRIDE: Final = 2

Order = NDArray[np.intp]


def open_mtcnn(weights: MtcnnWeights, *, threads: CpuThreads) -> MtcnnNetworks:
    """The three networks in ONNX Runtime, on the CPU."""
    graphs = mtcnn_graphs(weights)
    return MtcnnNetworks(*(_opened(graph, threads) for graph in graphs))


def mtcnn_graphs(weights: MtcnnWeights) -> tuple[bytes, bytes, bytes]:
    """The graphs of the three networks, from pictures as float32 (N, height, width, 3)."""
    return (
        _graph("proposals", weights.proposals, "height", "width"),
        _graph("refinement", weights.refinement, 24, 24),
        _graph("output", weights.output, 48, 48),
    )


def _opened(graph: bytes, threads: CpuThreads) -> Callable[[Floats], list[Floats]]:
    session = open_on_cpu(graph, threads)
    return lambda pictures: session.run(None, {"pictures": pictures})


def _graph(name: str, network: Cascade, height: int | str, width: int | str) -> bytes:
    graph = OnnxGraph(name, "pictures", height, width, kind="float32")
    shape, arrays = network.shape, network.arrays
    x, order = graph.pixels, np.arange(3)
    for number, (filters, _, pooled) in enumerate(shape.stages, start=1):
        layer, slopes = convolution(arrays, f"conv{number}"), arrays[f"prelu{number}.weight"]
        if pooled is not None:
            x, order = _pooled_prelu(graph, x, layer, slopes, pooled, order)
        else:
            x = graph.prelu(graph.layer(x, layer, layer.weight[:, order]), slopes)
            order = np.arange(filters)
    if shape.dense is not None:
        number = shape.dense_number
        # As in the training: columns first.
        x = graph.add("Flatten", graph.add("Transpose", x, perm=[0, 3, 2, 1]), axis=1)
        x = graph.linear(x, linear(arrays, f"dense{number}"))
        x = graph.add("PRelu", x, graph.constant(arrays[f"prelu{number}.weight"]))
    scores, *others = (
        graph.layer(x, convolution(arrays, head))
        if shape.dense is None
        else graph.linear(x, linear(arrays, head))
        for head in shape.head_names
    )
    names = ("corrections", "points")[: len(others)]
    outputs = dict(zip(names, others, strict=True))
    return graph.model({**outputs, "scores": graph.add("Softmax", scores, axis=1)})


def _pooled_prelu(
    graph: OnnxGraph, x: str, layer: Convolution, slopes: Values, pooled: int, order: Order
) -> tuple[str, Order]:
    """Convolution, PReLU and max pooling, with the pooling before the PReLU.

    The runtime keeps the maps of convolutions and poolings in blocks of channels, and rearranges
    the whole map twice for a PReLU between them. Where a slope a is not negative, the PReLU rises,
    so that it can follow the pooling, on a quarter of the map. Where a is negative, the PReLU is
    max(v, a v), and its pooling is the larger of those of v and of a v. Returns the result, and for
    each of its channels the number of the layer's channel.
    """
    assert layer.bias is not None
    rising, falling = np.flatnonzero(slopes >= 0), np.flatnonzero(slopes < 0)
    both = np.concatenate([rising, falling])
    weight, bias = layer.weight[both][:, order], layer.bias[both]
    channels = len(both)
    # Pooling in blocks takes whole blocks: the negated channels are padded with zeros.
    turning = np.zeros(
        (len(falling) + -(channels + len(falling)) % _BLOCK, channels), dtype=np.float32
    )
    places = np.arange(len(falling))
    turning[places, len(rising) + places] = slopes[falling]
    rest = len(turning) - len(falling)
    if weight[0].size <= channels:  # more filters cost less than another pass over the map
        weight = np.concatenate([weight, np.einsum("fc,cihw->fihw", turning, weight)])
        y = graph.convolution(x, weight, np.concatenate([bias, turning @ bias]))
        risen, straight, turned, *_ = _split(
            graph, _pooled(graph, y, pooled), [len(rising), len(falling), len(falling), rest]
        )
    else:
        y = graph.convolution(x, weight, bias)
        nothing = np.zeros(len(turning), dtype=np.float32)
        negated = graph.convolution(y, turning[:, :, None, None], nothing)
        risen, straight = _split(graph, _pooled(graph, y, pooled), [len(rising), len(falling)])
        turned, *_ = _split(graph, _pooled(graph, negated, pooled), [len(falling), rest])
    risen = graph.prelu(risen, slopes[rising])
    return graph.add("Concat", risen, graph.add("Max", straight, turned), axis=1), both


def _split(graph: OnnxGraph, x: str, channels: Sequence[int]) -> list[str]:
    present = [count for count in channels if count]
    counts = graph.constant(np.array(present, dtype=np.int64))
    return graph.add_split("Split", x, counts, outputs=len(present), axis=1)


def _pooled(graph: OnnxGraph, x: str, side: int) -> str:
    return graph.add(
        "MaxPool",
        x,
        kernel_shape=[side] * 2,
        strides=[_POOLING_STRIDE] * 2,
        ceil_mode=1,
    )
