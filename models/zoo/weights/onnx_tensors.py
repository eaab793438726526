"""Reader of the weights in an .onnx file, without the optional package `onnx`.

An .onnx file is a message of Protocol Buffers: a sequence of fields, each a number and a value.
The weights are the `initializer` (5) of the `graph` (7) of the model; of each, `dims` (1),
`data_type` (2), `float_data` (4), `int64_data` (7), `name` (8) and `raw_data` (9) are read. Source:
onnx.proto3 of ONNX, and the Protocol Buffers encoding guide.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from models.zoo.errors import WeightsInvalidError
from models.zoo.weights.arrays import Arrays

_GRAPH = 7
_INITIALIZER = 5
_DIMS, _TYPE, _FLOATS, _INT64S, _NAME, _RAW = 1, 2, 4, 7, 8, 9

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_DTYPES = {1: "<f4", 3: "<i1", 7: "<i8"}
"""float32, int8 and int64: numbers of ONNX, little-endian as the format demands."""


Floats = NDArray[np.float64]
Tensors = Mapping[str, NDArray[np.generic]]
"""Weights by the name of their initializer."""


class OnnxFormatError(ValueError):
    """The bytes are not an ONNX model, or contain tensors of an unsupported type."""


def dequantized(tensors: Tensors, name: str) -> Floats:
    """A tensor in its shape; of int8 weights, (quantized - zero point) * scale.

    A scale and a zero point are those of a block in the last axis. Raises KeyError.
    """
    if name in tensors:
        return np.asarray(tensors[name], dtype=np.float64)
    quantized = tensors[f"{name}_quantized"]
    scales, zeros = (
        np.asarray(tensors[f"{name}_{part}"], dtype=np.float64)[..., None]
        for part in ("scales", "zero_point")
    )
    # In place, as these are the largest arrays of a start.
    values = quantized.reshape(*scales.shape[:-1], -1).astype(np.float64)
    values -= zeros
    values *= scales
    return values.reshape(quantized.shape)


def converted(convert: Callable[[Tensors], Mapping[str, Floats]], data: bytes, name: str) -> Arrays:
    """The parameters that `convert` makes of the weights in an .onnx file with the content `data`.

    `name` is the network's. Raises WeightsInvalidError.
    """
    try:
        return {
            key: np.ascontiguousarray(values, dtype=np.float32)
            for key, values in convert(read_tensors(data)).items()
        }
    except (ValueError, KeyError) as error:  # ValueError: of shapes that differ
        raise WeightsInvalidError(f"the weights of {name} cannot be read: {error}") from error


def read_tensors(data: bytes) -> Tensors:
    """The initializers of a model's graph. Raises OnnxFormatError."""
    found: dict[str, NDArray[np.generic]] = {}
    for number, value in _fields(memoryview(data)):
        if number == _GRAPH and isinstance(value, memoryview):
            for inner, tensor in _fields(value):
                if inner == _INITIALIZER and isinstance(tensor, memoryview):
                    name, array = _tensor(tensor)
                    found[name] = array
    return found


def _tensor(data: memoryview) -> tuple[str, NDArray[np.generic]]:
    name, kind, shape = "", 0, list[int]()
    values: dict[int, NDArray[np.generic]] = {}
    for number, value in _fields(data):
        if number == _DIMS:
            shape += _integers(value)
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif isinstance(value, memoryview):
            if number == _NAME:
                name = str(value, "utf-8")
            elif number in (_RAW, _FLOATS):
                values[number] = np.frombuffer(value, np.uint8)
            elif number == _INT64S:
                values[number] = np.array(_integers(value), "<i8").view(np.uint8)
    dtype = _DTYPES.get(kind)
    if dtype is None:
        raise OnnxFormatError(f"tensor {name!r} has ONNX's type {kind}, which is not supported")
    content = next(iter(values.values()), np.empty(0, np.uint8))
    try:
        return name, content.view(dtype).reshape(shape)
    except ValueError as error:
        raise OnnxFormatError(f"tensor {name!r} is not of shape {shape}: {error}") from error


def _integers(value: int | memoryview) -> list[int]:
    """One integer, or several packed ones."""
    if isinstance(value, int):
        return [value]
    numbers, position = [], 0
    while position < len(value):
        number, position = _varint(value, position)
        numbers.append(number)
    return numbers


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        kind = key & 7
        if kind == _VARINT:
            number, position = _varint(data, position)
            yield key >> 3, number
            continue
        if kind == _BYTES:
            length, position = _varint(data, position)
        elif kind in (_FIXED32, _FIXED64):
            length = 4 if kind == _FIXED32 else 8
        else:
            raise OnnxFormatError(f"there is no wire type {kind} in Protocol Buffers")
        end = position + length
        if end > len(data):
            raise OnnxFormatError("a field runs past the end of the file")
        yield key >> 3, data[position:end]
        position = end


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """The number at a position (least significant seven bits first), and the position after it."""
    number = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return number, position
    raise OnnxFormatError("a number runs past the end of the file")
