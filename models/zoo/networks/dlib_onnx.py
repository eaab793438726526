"""dlib's face ResNet as a graph, which runtimes for the CPU run faster than PyTorch."""

from typing import Any

import numpy as np
import torch

from models.zoo.network import NetworkSpec
from models.zoo.networks.dlib_resnet import DlibResNet
from models.zoo.serving.onnx_graph import OnnxGraph


def dlib_graph(module: DlibResNet, spec: NetworkSpec) -> bytes:
    """The graph, from crops as uint8 (N, side, side, 3); normalisation is part of the stem."""
    side = spec.input.size_px
    graph = OnnxGraph("dlib-resnet", "crops", side, side)
    x = graph.add("Relu", graph.layer(graph.pixels, module.stem, *_stem(module, spec)))
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    shape = (32, ((side - 7) // 2 + 1 - 3) // 2 + 1)
    for block in module.blocks:
        x, shape = _block(graph, x, block, shape)
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x), axis=1)
    return graph.model({"embeddings": graph.linear(x, module.project)})


def _stem(module: DlibResNet, spec: NetworkSpec) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of the first convolution for pixels from 0 to 255.

    The convolution has no padding, so that the result is exact.
    """
    mean, std = torch.tensor([spec.input.mean, spec.input.std])[:, :, None, None]
    assert module.stem.bias is not None
    weight = module.stem.weight / std
    return weight, module.stem.bias - (weight * mean).sum(dim=(1, 2, 3))


def _block(
    graph: OnnxGraph,
    x: str,
    block: Any,  # noqa: ANN401
    shape: tuple[int, int],
) -> tuple[str, tuple[int, int]]:
    """A block of two convolutions; `shape` is (channels, side) of its input, and of its output."""
    channels, side = shape
    y = graph.layer(graph.add("Relu", graph.layer(x, block.conv1)), block.conv2)
    filters = block.conv2.out_channels
    y_side = (side - 3) // 2 + 1 if block.halves else side
    skip, skip_side = x, side
    if block.halves:
        skip = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        skip_side = side // 2
    result = max(y_side, skip_side)
    y = _zero_padded(graph, y, channels=0, edge=result - y_side)
    skip = _zero_padded(graph, skip, channels=filters - channels, edge=result - skip_side)
    return graph.add("Relu", graph.add("Add", y, skip)), (filters, result)


def _zero_padded(graph: OnnxGraph, x: str, *, channels: int, edge: int) -> str:
    """Zeros in more channels, in rows below and in columns to the right."""
    if not channels and not edge:
        return x
    ends = np.array([0, 0, 0, 0, 0, channels, edge, edge], dtype=np.int64)
    return graph.add("Pad", x, graph.constant(ends))
