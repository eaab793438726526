"""SFace as a graph, in the form that suits each runtime.

ONNX Runtime keeps convolutions in blocks of channels, and a PReLU between them has it turn the map
over twice. As `PReLU(x) = a x + (1 - a) ReLU(x)`, a PReLU can be two depthwise convolutions and a
sum, which stay in that layout; where a depthwise convolution follows, it takes both factors into
its own weights. OpenVINO computes a PReLU together with the convolution before it, and is best
served with the network as it is.
"""

import torch
from torch import Tensor

from models.zoo.network import NetworkSpec
from models.zoo.networks.sface import ConvolutionPrelu, Separable, SFace
from models.zoo.serving.onnx_graph import OnnxGraph

_FLOAT = 1
"""The number of float32 in ONNX."""


def sface_graph(module: SFace, spec: NetworkSpec, *, split_prelu: bool) -> bytes:
    """The graph, from crops as uint8 (N, side, side, 3), with normalisation.

    `split_prelu`: with PReLU as convolutions, for ONNX Runtime.
    """
    side = spec.input.size_px
    graph = OnnxGraph("sface", {"crops": ("uint8", ["n", side, side, 3])})
    x = graph.add("Cast", graph.add("Transpose", "crops", perm=[0, 3, 1, 2]), to=_FLOAT)
    mean, std = (torch.tensor(values) for values in (spec.input.mean, spec.input.std))
    # The mean stays outside, as the convolution pads with the zeros of normalised pixels.
    x = graph.add("Sub", x, graph.constant(mean[:, None, None]))
    weight = module.stem.convolution.weight / std[:, None, None]
    x = graph.convolution(x, weight, module.stem.convolution.bias, padding=1)
    x = _blocks_split(graph, x, module) if split_prelu else _blocks(graph, x, module)
    return graph.model({"embeddings": graph.linear(graph.add("Flatten", x), module.project)})


def _blocks(graph: OnnxGraph, x: str, module: SFace) -> str:
    """From the stem's convolution on."""
    x = _prelu(graph, x, module.stem)
    for block in module.blocks:
        assert isinstance(block, Separable)
        for layer in (block.depthwise, block.pointwise):
            x = _prelu(graph, _convolution(graph, x, layer), layer)
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
        x = _convolution(graph, x, block.pointwise)
        before = block.pointwise
    return _prelu(graph, x, before)  # what follows takes the plain layout


def _split_prelu(
    graph: OnnxGraph,
    x: str,
    layer: ConvolutionPrelu,
    weight: Tensor,
    bias: Tensor | None,
    *,
    stride: int = 1,
) -> str:
    """A layer's PReLU of x, and a depthwise convolution of it."""
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


def _convolution(graph: OnnxGraph, x: str, layer: ConvolutionPrelu) -> str:
    inner = layer.convolution
    return graph.convolution(
        x,
        inner.weight,
        inner.bias,
        stride=inner.stride[0],
        padding=inner.kernel_size[0] // 2,
        groups=inner.groups,
    )


def _prelu(graph: OnnxGraph, x: str, layer: ConvolutionPrelu) -> str:
    return graph.add("PRelu", x, graph.constant(layer.activation.weight[:, None, None]))
