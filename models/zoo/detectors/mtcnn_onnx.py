"""MTCNN's networks as graphs for ONNX Runtime."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import nn

from models.zoo.detectors.mtcnn import Floats, MtcnnModules, MtcnnNetworks
from models.zoo.detectors.mtcnn_modules import OutputNet, ProposalNet, RefinementNet
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.onnx_graph import OnnxGraph
from models.zoo.serving.onnx_session import open_on_cpu

_BLOCK: Final = 8
"""Channels in a block of the runtime, or a multiple of them."""


def open_mtcnn(modules: MtcnnModules, *, threads: CpuThreads) -> MtcnnNetworks:
    """The three networks in ONNX Runtime, on the CPU."""
    graphs = (
        _proposals(modules.proposals),
        _refinement(modules.refinement),
        _output(modules.output),
    )
    return MtcnnNetworks(*(_run(graph, threads) for graph in graphs))


def _run(graph: bytes, threads: CpuThreads) -> Callable[[Floats], list[Floats]]:
    session = open_on_cpu(graph, threads)
    return lambda pictures: session.run(None, {"pictures": pictures})


def _proposals(network: ProposalNet) -> bytes:
    graph, x = _begin("proposals", "height", "width")
    x, order = _pooled_prelu(
        graph, graph.pixels, network.conv1, network.prelu1, network.pool1, _all(3)
    )
    x, order = _prelu(graph, x, network.conv2, network.prelu2, order)
    x, order = _prelu(graph, x, network.conv3, network.prelu3, order)
    scores, corrections = (
        graph.layer(x, layer, layer.weight[:, order])
        for layer in (network.conv4_1, network.conv4_2)
    )
    scores = graph.add("Softmax", scores, axis=1)
    return graph.model({"corrections": corrections, "scores": scores})


def _refinement(network: RefinementNet) -> bytes:
    graph, x = _begin("refinement", 24, 24)
    x, order = _pooled_prelu(
        graph, graph.pixels, network.conv1, network.prelu1, network.pool1, _all(3)
    )
    x, order = _pooled_prelu(graph, x, network.conv2, network.prelu2, network.pool2, order)
    x, _ = _prelu(graph, x, network.conv3, network.prelu3, order)
    x = _flat(graph, x)
    x = graph.add("PRelu", graph.linear(x, network.dense4), graph.constant(network.prelu4.weight))
    scores = graph.add("Softmax", graph.linear(x, network.dense5_1), axis=1)
    return graph.model({"corrections": graph.linear(x, network.dense5_2), "scores": scores})


def _output(network: OutputNet) -> bytes:
    graph, x = _begin("output", 48, 48)
    x, order = _pooled_prelu(
        graph, graph.pixels, network.conv1, network.prelu1, network.pool1, _all(3)
    )
    x, order = _pooled_prelu(graph, x, network.conv2, network.prelu2, network.pool2, order)
    x, order = _pooled_prelu(graph, x, network.conv3, network.prelu3, network.pool3, order)
    x, _ = _prelu(graph, x, network.conv4, network.prelu4, order)
    x = _flat(graph, x)
    x = graph.add("PRelu", graph.linear(x, network.dense5), graph.constant(network.prelu5.weight))
    return graph.model(
        {
            "corrections": graph.linear(x, network.dense6_2),
            "points": graph.linear(x, network.dense6_3),
            "scores": graph.add("Softmax", graph.linear(x, network.dense6_1), axis=1),
        }
    )


def _begin(name: str, height: int | str, width: int | str) -> tuple[OnnxGraph, str]:
    graph = OnnxGraph(name, "pictures", height, width, kind="float32")
    return graph, graph.pixels


def _all(channels: int) -> torch.Tensor:
    return torch.arange(channels)


def _prelu(
    graph: OnnxGraph, x: str, layer: nn.Conv2d, activation: nn.PReLU, order: torch.Tensor
) -> tuple[str, torch.Tensor]:
    y = graph.layer(x, layer, layer.weight[:, order])
    return graph.prelu(y, activation.weight), _all(layer.out_channels)


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


def _flat(graph: OnnxGraph, x: str) -> str:
    """Flatten maps in the order of the training: columns first."""
    turned = graph.add("Transpose", x, perm=[0, 3, 2, 1])
    return graph.add("Flatten", turned, axis=1)
