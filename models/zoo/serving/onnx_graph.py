"""Making of an ONNX graph from the arrays of a network, layer by layer.

PyTorch's own exporters trace a run, need more packages, and change with each version. The networks
converted here are short enough to be written out.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.zoo.weights.arrays import Convolution, Linear, Values

_OPSET = 17
_IR_VERSION = 9


class OnnxGraph:
    """A graph whose input is RGB pictures (N, height, width, 3), from 0 to 255.

    Values of the graph are known by their names. `pixels` is the input as float32 (N, 3, height,
    width). A side that is a name may have any length.
    """

    def __init__(
        self,
        name: str,
        source: str,
        height: int | str,
        width: int | str,
        *,
        kind: Literal["uint8", "float32"] = "uint8",
    ) -> None:
        self._name = name
        element = TensorProto.UINT8 if kind == "uint8" else TensorProto.FLOAT
        self._input = helper.make_tensor_value_info(source, element, ["n", height, width, 3])
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self.pixels = self.add("Transpose", source, perm=[0, 3, 1, 2])
        if kind == "uint8":
            self.pixels = self.add("Cast", self.pixels, to=TensorProto.FLOAT)

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node with one output. Returns the name of the output."""
        return self.add_split(operation, *inputs, outputs=1, **attributes)[0]

    def add_split(
        self,
        operation: str,
        *inputs: str,
        outputs: int,
        **attributes: Any,  # noqa: ANN401
    ) -> list[str]:
        """Add a node with several outputs. Returns their names."""
        names = [f"v{len(self._nodes)}_{place}" for place in range(outputs)]
        self._nodes.append(helper.make_node(operation, list(inputs), names, **attributes))
        return names

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolution(
        self,
        x: str,
        weight: Values,
        bias: Values | None,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
    ) -> str:
        """A convolution with these weights; stride and padding are equal on all sides."""
        operands = [x, self.constant(weight)]
        if bias is not None:
            operands.append(self.constant(bias))
        return self.add(
            "Conv", *operands, strides=[stride, stride], pads=[padding] * 4, group=groups
        )

    def layer(
        self, x: str, layer: Convolution, weight: Values | None = None, bias: Values | None = None
    ) -> str:
        """A convolution as `layer` makes it, with another `weight` or `bias` where one is given."""
        return self.convolution(
            x,
            layer.weight if weight is None else weight,
            layer.bias if bias is None else bias,
            stride=layer.stride,
            padding=layer.padding,
            groups=layer.groups,
        )

    def prelu(self, x: str, slopes: Values) -> str:
        """A PReLU of maps (N, channels, height, width), with a slope for each channel."""
        return self.add("PRelu", x, self.constant(slopes[:, None, None]))

    def linear(self, x: str, layer: Linear) -> str:
        operands = [x, self.constant(layer.weight)]
        if layer.bias is not None:
            operands.append(self.constant(layer.bias))
        return self.add("Gemm", *operands, transB=1)

    def model(self, outputs: Mapping[str, str]) -> bytes:
        """The content of the .onnx file; `outputs` maps the names of its outputs to values."""
        named = [helper.make_node("Identity", [value], [name]) for name, value in outputs.items()]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(
            [*self._nodes, *named], self._name, [self._input], results, self._constants
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        return bytes(made.SerializeToString())
