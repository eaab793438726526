"""MTCNN's networks as graphs for ONNX Runtime."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import nn

from models.zoo.detectors.mtcnn import Floats, MtcnnNetworks
from models.zoo.detectors.mtcnn_modules import CascadeNet, MtcnnModules
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.onnx_graph import OnnxGraph
from models.zoo.serving.onnx_session import open_on_cpu

_BLOCK: Final = 8
"""Channels in a block of the runtime, or a multiple of them."""


def open_mtcnn(modules: MtcnnModules, *, threads: CpuThreads) -> MtcnnNetworks:
    """The three networks in ONNX Runtime, on the CPU."""
    return MtcnnNetworks(
        _opened(_graph("proposals", modules.proposals, "height", "width"), threads),
        _opened(_graph("refinement", modules.refinement, 24, 24), threads),
        _opened(_graph("output", modules.output, 48, 48), threads),
    )


def _opened(graph: bytes, threads: CpuThreads) -> Callable[[Floats], list[Floats]]:
    session = open_on_cpu(graph, threads)
    return lambda pictures: session.run(None, {"pictures": pictures})


def _graph(name: str, network: CascadeNet, height: int | str, width: int | str) -> bytes:
    graph = OnnxGraph(name, "pictures", height, width, kind="float32")
    x, order = graph.pixels, torch.arange(3)
    for conv, prelu, pool in network.stages:
        if pool is not None:
            x, order = _pooled_prelu(graph, x, conv, prelu, pool, order)
        else:
            x = graph.prelu(graph.layer(x, conv, conv.weight[:, order]), prelu.weight)
            order = torch.arange(conv.out_channels)
    if network.dense is not None:
        layer, activation = network.dense
        # As in the training: columns first.
        x = graph.add("Flatten", graph.add("Transpose", x, perm=[0, 3, 2, 1]), axis=1)
        x = graph.add("PRelu", graph.linear(x, layer), graph.constant(activation.weight))
    scores, *others = (
        graph.linear(x, head) if isinstance(head, nn.Linear) else graph.layer(x, head)
        for head in network.heads
    )
    names = ("corrections", "points")[: len(others)]
    outputs = dict(zip(names, others, strict=True))
    return graph.model({**outputs, "scores": graph.add("Softmax", scores, axis=1)})


def _pooled_prelu(
    graph: OnnxGraph,
    x: str,
    layer: nn.Conv2d,
    activation: nn.PReLU,
    pool: nn.MaxPool2d,
    order: torch.Tensor,
) -> tuple[str, torch.Tensor]:
    """Convolution, PReLU and max pooling, with the pooling before the PReLU.

    The runtime keeps the maps of convolutions and poolings in blocks of channels, and rearranges
    the whole map twice for a PReLU between them. Where a slope a is not negative, the PReLU rises,
    so that it can follow the pooling, on a quarter of the map. Where a is negative, the PReLU is
    max(v, a v), and its pooling is the larger of those of v and of a v. Returns the result, and for
    each of its channels the number of the layer's channel.
    """
    assert layer.bias is not None
    slopes = activation.weight
    rising, falling = torch.nonzero(slopes >= 0)[:, 0], torch.nonzero(slopes < 0)[:, 0]
    both = torch.cat([rising, falling])
    weight, bias = layer.weight[both][:, order], layer.bias[both]
    channels = len(both)
    # Pooling in blocks takes whole blocks: the negated channels are padded with zeros.
    turning = torch.zeros(len(falling) + -(channels + len(falling)) % _BLOCK, channels)
    turning[torch.arange(len(falling)), len(rising) + torch.arange(len(falling))] = slopes[falling]
    rest = len(turning) - len(falling)
    if weight[0].numel() <= channels:  # more filters cost less than another pass over the map
        weight = torch.cat([weight, torch.einsum("fc,cihw->fihw", turning, weight)])
        y = graph.convolution(x, weight, torch.cat([bias, turning @ bias]))
        risen, straight, turned, *_ = _split(
            graph, _pooled(graph, y, pool), [len(rising), len(falling), len(falling), rest]
        )
    else:
        y = graph.convolution(x, weight, bias)
        negated = graph.convolution(y, turning[:, :, None, None], torch.zeros(len(turning)))
        risen, straight = _split(graph, _pooled(graph, y, pool), [len(rising), len(falling)])
        turned, *_ = _split(graph, _pooled(graph, negated, pool), [len(falling), rest])
    risen = graph.prelu(risen, slopes[rising])
    return graph.add("Concat", risen, graph.add("Max", straight, turned), axis=1), both


def _split(graph: OnnxGraph, x: str, channels: Sequence[int]) -> list[str]:
    present = [count for count in channels if count]
    counts = graph.constant(np.array(present, dtype=np.int64))
    return graph.add_split("Split", x, counts, outputs=len(present), axis=1)


def _pooled(graph: OnnxGraph, x: str, pool: nn.MaxPool2d) -> str:
    return graph.add(
        "MaxPool",
        x,
        kernel_shape=[pool.kernel_size] * 2,
        strides=[pool.stride] * 2,
        ceil_mode=int(pool.ceil_mode),
    )
