"""dlib's serialisation is read as dlib writes it, and nothing malformed passes."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.zoo.networks.dlib_format import DlibFormatError, _read_int, read_layers


def _int(value: int) -> bytes:
    """As dlib/serialize.h packs an integer: length and sign, then the bytes from the lowest."""
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def _tensor(values: list[float], shape: tuple[int, ...], version: int = 2) -> bytes:
    head = _int(version) + b"".join(_int(size) for size in shape)
    return head + struct.pack(f"<{len(values)}f", *values)


def _tagged(tag: bytes) -> bytes:
    return _int(len(tag)) + tag


_CONVOLUTION = _tagged(b"con_4") + _tensor([1.5, -2.0, 3.0], (3, 1, 1, 1))
_AFFINE = _tagged(b"affine_") + _tensor([0.25, 4.0], (2, 1, 1, 1))
_FULLY_CONNECTED = _tagged(b"fc_2") + _int(2) + _int(3) + _tensor([*range(6)], (3, 2, 1, 1))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x01\x00", 0),
        (b"\x01\x05", 5),
        (b"\x81\x05", -5),
        (b"\x02\x00\x01", 256),
        (b"\x82\x2c\x01", -300),
        (b"\x04\xff\xff\xff\xff", 2**32 - 1),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00\x80", 2**63),
    ],
)
def test_an_integer_has_its_length_and_sign_in_its_first_byte(data: bytes, value: int) -> None:
    assert _read_int(b"??" + data + b"rest", 2) == (value, 2 + len(data))


@given(value=st.integers(-(2**63), 2**63))
def test_every_integer_is_read_back(value: int) -> None:
    assert _read_int(_int(value), 0) == (value, len(_int(value)))


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"\x09" + bytes(9), b"\x04\x01\x02", b"\x81"])
def test_what_is_no_integer_is_refused(data: bytes) -> None:
    with pytest.raises(DlibFormatError):
        _read_int(data, 0)


def test_layers_come_in_the_order_of_the_file() -> None:
    data = b"head" + _CONVOLUTION + b"between" + _AFFINE + _FULLY_CONNECTED + b"tail"
    layers = list(read_layers(data))
    assert [layer.tag for layer in layers] == ["con_4", "affine_", "fc_2"]
    assert [layer.values.shape for layer in layers] == [(3, 1, 1, 1), (2, 1, 1, 1), (3, 2, 1, 1)]
    assert [layer.values.ravel().tolist() for layer in layers] == [
        [1.5, -2.0, 3.0],
        [0.25, 4.0],
        [0, 1, 2, 3, 4, 5],
    ]
    assert all(layer.values.dtype == np.float32 for layer in layers)


def test_a_tag_inside_the_numbers_is_no_layer() -> None:
    hidden = _tagged(b"con_4") + b"\0\0"
    numbers = list(struct.unpack("<2f", hidden[:8]))
    data = _tagged(b"affine_") + _tensor(numbers, (2, 1, 1, 1)) + _CONVOLUTION
    assert [layer.tag for layer in read_layers(data)] == ["affine_", "con_4"]


@pytest.mark.parametrize("data", [b"", b"no layers here"])
def test_a_file_without_layers_has_none(data: bytes) -> None:
    assert list(read_layers(data)) == []


@pytest.mark.parametrize("layer", [_CONVOLUTION, _AFFINE, _FULLY_CONNECTED])
def test_a_layer_cut_short_anywhere_is_refused(layer: bytes) -> None:
    tag_end = 2 + layer[1]
    for end in range(tag_end, len(layer)):
        with pytest.raises(DlibFormatError):
            list(read_layers(layer[:end]))


@pytest.mark.parametrize(
    "tensor",
    [
        _tensor([1.0], (1, 1, 1, 1), version=1),
        _tensor([1.0], (-1, 1, 1, 1)),
        _tensor([1.0], (2**40, 2**40, 1, 1)),
        b"\xff" * 40,
    ],
    ids=["version", "negative", "huge", "garbled"],
)
def test_a_malformed_tensor_is_refused(tensor: bytes) -> None:
    with pytest.raises(DlibFormatError):
        list(read_layers(_tagged(b"con_4") + tensor + bytes(100)))


def test_two_negative_sizes_are_refused_though_their_product_is_not_negative() -> None:
    with pytest.raises(DlibFormatError):
        list(read_layers(_tagged(b"con_4") + _tensor([1.0, 2.0], (-2, -1, 1, 1))))
