"""Reader of dlib's serialised networks, for the part of the format with the parameters.

dlib writes a network from the input to the loss, each layer as a length-prefixed tag followed by
its parameter tensor. Integers have variable length: the low nibble of the first byte counts the
bytes that follow (little-endian), its high bit is the sign. A tensor is the integer 2 (the
version), four dimensions and raw little-endian float32. Source: dlib/serialize.h and
dlib/cuda/tensor.h of dlib 19.4 and later.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

_TENSOR_VERSION = 2


class DlibFormatError(ValueError):
    """The bytes are not a dlib network that this reader supports."""


@dataclass(frozen=True, slots=True)
class LayerParameters:
    """Parameters of one layer: dlib's tag (`con_4`, `affine_`, `fc_2`) and a 4-d float32 tensor."""

    tag: str
    values: NDArray[np.float32]


def read_layers(data: bytes) -> Iterator[LayerParameters]:
    """Yield the parameters of convolutions, affine and fully connected layers, input first.

    Raises DlibFormatError when a tensor is malformed or runs past the end.
    """
    tags = {_length_prefixed(tag): tag for tag in ("con_4", "affine_", "fc_2")}
    any_tag = re.compile(b"|".join(map(re.escape, tags)))
    position = 0
    # Tensors are skipped as a whole, so that no tag is found within their numbers.
    while (found := any_tag.search(data, position)) is not None:
        tag, position = tags[found[0]], found.end()
        if tag == "fc_2":  # stores its output and input counts before the tensor
            for _ in range(2):
                _, position = _read_int(data, position)
        values, position = _read_tensor(data, position)
        yield LayerParameters(tag, values)


def _length_prefixed(tag: str) -> bytes:
    return bytes((1, len(tag))) + tag.encode("ascii")


def _read_tensor(data: bytes, position: int) -> tuple[NDArray[np.float32], int]:
    version, position = _read_int(data, position)
    if version != _TENSOR_VERSION:
        raise DlibFormatError(f"tensor version {version} at byte {position}; expected 2")
    shape = []
    for _ in range(4):
        size, position = _read_int(data, position)
        shape.append(size)
    count = prod(shape)
    end = position + 4 * count
    if min(shape) < 0 or end > len(data):
        raise DlibFormatError(f"tensor of shape {shape} at byte {position} runs past the end")
    values = np.frombuffer(data, dtype="<f4", count=count, offset=position)
    return values.reshape(shape).astype(np.float32), end


def _read_int(data: bytes, position: int) -> tuple[int, int]:
    if position >= len(data):
        raise DlibFormatError("the file ends inside an integer")
    head = data[position]
    length = head & 0x0F
    end = position + 1 + length
    if not 1 <= length <= 8 or end > len(data):
        raise DlibFormatError(f"no integer at byte {position}")
    value = int.from_bytes(data[position + 1 : end], "little")
    return (-value if head & 0x80 else value), end
