"""SFace as a graph, in the form that suits each runtime.

ONNX Runtime keeps maps in blocks of channels, and rearranges a map twice for a PReLU between
convolutions. As `PReLU(x) = a x + (1 - a) ReLU(x)`, a PReLU can be two depthwise convolutions and a
sum, which keep the blocks; a depthwise convolution after it takes both factors into its weights.
OpenVINO computes a PReLU together with the convolution before it, and runs the plain network
faster.
"""

import torch
from torch import Tensor

from models.zoo.network import NetworkSpec
from models.zoo.networks.sface import ConvolutionPrelu, Separable, SFace
from models.zoo.serving.onnx_graph import OnnxGraph


def sface_graph(module: SFace, spec: NetworkSpec, *, split_prelu: bool) -> bytes:
    """The graph, from crops as uint8 (N, side, side, 3), with normalisation.

    `split_prelu`: each PReLU is two convolutions, for ONNX Runtime.
    """
    side = spec.input.size_px
    graph = OnnxGraph("sface", "crops", side, side)
    mean, std = (
        torch.tensor(values)[:, None, None] for values in (spec.input.mean, spec.input.std)
    )
    # The mean is not folded: the convolution pads with 0, which is a normalised pixel's value.
    x = graph.add("Sub", graph.pixels, graph.constant(mean))
    stem = module.stem.convolution
    x = graph.layer(x, stem, stem.weight / std)
    x = _blocks_split(graph, x, module) if split_prelu else _blocks(graph, x, module)
    return graph.model({"embeddings": graph.linear(graph.add("Flatten", x), module.project)})


def _blocks(graph: OnnxGraph, x: str, module: SFace) -> str:
    """The blocks, from the output of the stem's convolution."""
    x = graph.prelu(x, module.stem.activation.weight)
    for block in module.blocks:
        assert isinstance(block, Separable)
        for layer in (block.depthwise, block.pointwise):
            x = graph.prelu(graph.layer(x, layer.convolution), layer.activation.weight)
    return x


def _blocks_split(graph: OnnxGraph, x: str, module: SFace) -> str:
    """The same, with each PReLU as a sum of two convolutions."""
    before = module.stem
    for block in module.blocks:
        assert isinstance(block, Separable)
        wide = block.depthwise.convolution
        x = _split_prelu(graph, x, before, wide.weight, wide.bias, stride=wide.stride[0])
        ones = torch.ones(wide.out_channels, 1, 1, 1)
        x = _split_prelu(graph, x, block.depthwise, ones, None)
        x = graph.layer(x, block.pointwise.convolution)
        before = block.pointwise
    # The last PReLU is plain, as the layers after it take the plain layout.
    return graph.prelu(x, before.activation.weight)


def _split_prelu(
    graph: OnnxGraph,
    x: str,
    layer: ConvolutionPrelu,
    weight: Tensor,
    bias: Tensor | None,
    *,
    stride: int = 1,
) -> str:
    """The PReLU of a layer, and a depthwise convolution after it."""
    slopes = layer.activation.weight[:, None, None, None]
    channels, padding = len(slopes), weight.shape[-1] // 2
    straight, positive = (
        graph.convolution(
            value, factor * weight, summand, stride=stride, padding=padding, groups=channels
        )
        for value, factor, summand in (
            (x, slopes, bias),
            (graph.add("Relu", x), 1 - slopes, None),
        )
    )
    return graph.add("Add", straight, positive)
