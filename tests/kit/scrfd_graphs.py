"""SCRFD's graphs, made here: one answers faces that it was made with, one finds red cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.zoo.catalogue.entry import DetectorInput

Floats = NDArray[np.float32]

STRIDES = (8, 16, 32)
SCRFD_INPUT = DetectorInput(mean=(127.5,) * 3, std=(128.0,) * 3, colours="rgb", strides=STRIDES)
"""Preprocessing of these graphs, which is that of InsightFace's."""

_ANCHORS = 2


@dataclass(frozen=True)
class Encoded:
    """A face that a graph answers: pixels of the picture that the graph takes."""

    box: Sequence[float]
    points: NDArray[np.floating[Any]]
    score: float
    stride: int = 16
    anchor: int = 0
    column_shift: int = 0
    """The face is answered by a cell so many columns away from that of its centre."""


def encoded_answers(faces: Sequence[Encoded], *, width: int, height: int) -> list[Floats]:
    """The nine arrays of SCRFD for these faces, each in one cell; all other scores are 0.1."""
    kinds: dict[int, list[Floats]] = {0: [], 1: [], 2: []}
    for stride in STRIDES:
        count = _ANCHORS * (height // stride) * (width // stride)
        scores = np.full((count, 1), 0.1, dtype=np.float32)
        boxes = np.ones((count, 4), dtype=np.float32)
        points = np.ones((count, 10), dtype=np.float32)
        for face in faces:
            if face.stride != stride:
                continue
            x1, y1, x2, y2 = face.box
            column = int((x1 + x2) / 2 // stride) + face.column_shift
            row = int((y1 + y2) / 2 // stride)
            place = (row * (width // stride) + column) * _ANCHORS + face.anchor
            x, y = column * stride, row * stride
            scores[place] = face.score
            boxes[place] = np.array([x - x1, y - y1, x2 - x, y2 - y]) / stride
            points[place] = ((face.points - [x, y]) / stride).reshape(10)
        for kind, values in enumerate((scores, boxes, points)):
            kinds[kind].append(values)
    return [values for kind in kinds.values() for values in kind]


def save_constant_scrfd(
    path: Path, faces: Sequence[Encoded], *, size: tuple[int, int], with_batch_axis: bool = False
) -> Path:
    """A graph for pictures of one size (width, height), whatever they show."""
    width, height = size
    answers = encoded_answers(faces, width=width, height=height)
    if with_batch_axis:
        answers = [answer[None] for answer in answers]
    # The picture has to be used: what does not change is multiplied by it, and by nothing.
    nodes = [
        helper.make_node("ReduceMax", ["picture"], ["most"], keepdims=0),
        helper.make_node("Mul", ["most", "zero"], ["nothing"]),
        *(
            helper.make_node("Add", [f"constant{place}", "nothing"], [f"answer{place}"])
            for place in range(9)
        ),
    ]
    constants: dict[str, Any] = {f"constant{place}": answer for place, answer in enumerate(answers)}
    constants |= {"zero": np.zeros((), dtype=np.float32)}
    return _save(path, nodes, constants, [1, 3, height, width], axes=answers[0].ndim)


def save_red_cells_scrfd(path: Path, *, reach: Sequence[float], points: Floats) -> Path:
    """A graph for pictures of any size: a face is where a cell of 8 pixels is red.

    `reach` (left, top, right, bottom) and `points` (5, 2) are in strides, from the cell.
    """
    nodes: list[onnx.NodeProto] = []

    def add(operation: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(operation, inputs, [output], **attributes))

    for place, stride in enumerate(STRIDES):
        # Only the finest level finds anything; the red channel is the first.
        cell = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        add("AveragePool", ["picture"], f"cells{stride}", **cell)
        add("Slice", [f"cells{stride}", "first", "second", "one"], f"red{stride}")
        add("Mul", [f"red{stride}", f"sharp{stride}"], f"sharpened{stride}")
        add("Sigmoid", [f"sharpened{stride}"], f"likely{stride}")
        add("Reshape", [f"likely{stride}", "column"], f"each{stride}")
        add("Concat", [f"each{stride}"] * 2, f"both{stride}", axis=1)
        add("Reshape", [f"both{stride}", "column"], f"answer{place}")
        add("Mul", [f"answer{place}", "zero"], f"nothing{stride}")
        add("Add", [f"nothing{stride}", "reach"], f"answer{place + 3}")
        add("Add", [f"nothing{stride}", "points"], f"answer{place + 6}")
    constants: dict[str, Any] = {
        "first": np.array([0]),
        "second": np.array([1]),
        "one": np.array([1]),
        "column": np.array([-1, 1]),
        "zero": np.float32(0),
        "reach": np.asarray([reach], dtype=np.float32),
        "points": points.reshape(1, 10).astype(np.float32),
        "sharp8": np.float32(8),
        "sharp16": np.float32(0),
        "sharp32": np.float32(0),
    }
    return _save(path, nodes, constants, [1, 3, "height", "width"])


def _save(
    path: Path,
    nodes: Sequence[Any],
    constants: dict[str, Any],
    shape: Sequence[Any],
    *,
    axes: int = 2,
) -> Path:
    graph = helper.make_graph(
        nodes,
        "scrfd",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(f"answer{i}", TensorProto.FLOAT, [None] * axes)
            for i in range(9)
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
