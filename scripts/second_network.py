"""Write an ONNX network to try a rollout with: the default one, its embeddings turned in space.

    python -m scripts.second_network second.onnx
    vultus models add second.onnx --name second --license "for trying"

It is about as good as `dlib-resnet` and compares with nothing that that one has made. It sees
the crops of ArcFace, scaled to 172 pixels, in which those of dlib lie but for the lowest ten rows.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.zoo.networks.dlib_onnx import dlib_graph
from models.zoo.networks.dlib_weights import load
from models.zoo.registry import DLIB_RESNET

_SIZE_PX = 172
_LEFT, _TOP, _MISSING_ROWS = 10, 32, 10


def write_second_network(path: Path, *, seed: int = 0) -> None:
    """Deterministic; another `seed` turns it another way."""
    weights, _ = load()
    model = onnx.load_from_string(dlib_graph(weights.arrays, DLIB_RESNET))
    _turn(model, seed)
    _widen(model)
    plain = {"mean": "[0, 0, 0]", "std": "[1, 1, 1]"}  # the network normalises by itself
    helper.set_model_props(model, plain)
    onnx.save(model, path)


def _turn(model: onnx.ModelProto, seed: int) -> None:
    """Multiply the last layer's weights with an orthogonal matrix."""
    (last,) = (node for node in model.graph.node if node.op_type == "Gemm")
    (weights,) = (one for one in model.graph.initializer if one.name == last.input[1])
    random = np.random.default_rng(seed).normal(size=(DLIB_RESNET.dimension,) * 2)
    turned = np.linalg.qr(random).Q @ numpy_helper.to_array(weights)
    weights.CopyFrom(numpy_helper.from_array(turned.astype(np.float32), weights.name))


def _widen(model: onnx.ModelProto) -> None:
    """Take float32 crops (N, 3, side, side), as ONNX networks do, and cut dlib from them."""
    side = DLIB_RESNET.input.size_px
    ends = [_TOP + side - _MISSING_ROWS, _LEFT + side]
    constants = {
        "starts": np.array([_TOP, _LEFT]),
        "ends": np.array(ends),
        "axes": np.array([2, 3]),
        "below": np.array([0, 0, 0, 0, 0, 0, _MISSING_ROWS, 0]),
    }
    nodes = [
        helper.make_node("Slice", ["wide", "starts", "ends", "axes"], ["cut"]),
        helper.make_node("Pad", ["cut", "below"], ["padded"], mode="edge"),
        helper.make_node("Transpose", ["padded"], ["crops"], perm=[0, 2, 3, 1]),
    ]
    shape: list[str | int | None] = ["n", 3, _SIZE_PX, _SIZE_PX]
    graph = helper.make_graph(
        [*nodes, *model.graph.node],
        "second",
        [helper.make_tensor_value_info("wide", TensorProto.FLOAT, shape)],
        list(model.graph.output),
        [
            *model.graph.initializer,
            *(
                numpy_helper.from_array(values.astype(np.int64), name)
                for name, values in constants.items()
            ),
        ],
    )
    model.graph.CopyFrom(graph)


if __name__ == "__main__":
    write_second_network(Path(sys.argv[1]))
