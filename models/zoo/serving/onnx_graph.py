"""Write a PyTorch network down as an ONNX graph, layer by layer.

PyTorch's own exporters trace a run, need more packages, and change with each version; the networks
that are carried over here are short enough to be spelt out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

_OPSET = 17
_IR_VERSION = 9

_TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT}


class OnnxGraph:
    """Values are known by their names. `inputs` maps names to (type, shape); None is any length."""

    def __init__(
        self, name: str, inputs: Mapping[str, tuple[str, Sequence[int | str | None]]]
    ) -> None:
        self._name = name
        self._inputs = [
            helper.make_tensor_value_info(value, _TYPES[kind], shape)
            for value, (kind, shape) in inputs.items()
        ]
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node with one output, whose name is returned."""
        return self.add_split(operation, *inputs, outputs=1, **attributes)[0]

    def add_split(
        self,
        operation: str,
        *inputs: str,
        outputs: int,
        **attributes: Any,  # noqa: ANN401
    ) -> list[str]:
        """Add a node with several outputs."""
        names = [f"v{len(self._nodes)}_{place}" for place in range(outputs)]
        self._nodes.append(helper.make_node(operation, list(inputs), names, **attributes))
        return names

    def constant(self, values: NDArray[np.generic] | Tensor) -> str:
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def convolution(
        self,
        x: str,
        weight: Tensor,
        bias: Tensor | None,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
    ) -> str:
        operands = [x, self.constant(weight)]
        if bias is not None:
            operands.append(self.constant(bias))
        return self.add(
            "Conv", *operands, strides=[stride, stride], pads=[padding] * 4, group=groups
        )

    def linear(self, x: str, layer: nn.Linear) -> str:
        operands = [x, self.constant(layer.weight)]
        if layer.bias is not None:
            operands.append(self.constant(layer.bias))
        return self.add("Gemm", *operands, transB=1)

    def model(self, outputs: Mapping[str, str]) -> bytes:
        """The file's bytes; `outputs` maps the names that callers ask for to values."""
        named = [helper.make_node("Identity", [value], [name]) for name, value in outputs.items()]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(
            [*self._nodes, *named], self._name, self._inputs, results, self._constants
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        return bytes(made.SerializeToString())
