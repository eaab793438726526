"""Parameters of a network as NumPy arrays, so that graphs can be made of them without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.zoo.errors import WeightsInvalidError

Values = NDArray[np.float32]

Arrays = Mapping[str, Values]
"""Parameters by the names that the network's module in PyTorch gives them."""

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each parameter, by the same names."""

_SIDE_BY_SIDE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Convolution:
    """A convolution: `weight` (filters, inputs / groups, side, side) and `bias` (filters,).

    Stride and padding are equal on all sides.
    """

    weight: Values
    bias: Values | None
    stride: int = 1
    padding: int = 0
    groups: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear map: `weight` (outputs, inputs) and `bias` (outputs,)."""

    weight: Values
    bias: Values | None


def convolution(
    arrays: Arrays, name: str, *, stride: int = 1, padding: int = 0, groups: int = 1
) -> Convolution:
    """The convolution of that name."""
    weight, bias = arrays[f"{name}.weight"], arrays.get(f"{name}.bias")
    return Convolution(weight, bias, stride=stride, padding=padding, groups=groups)


def linear(arrays: Arrays, name: str) -> Linear:
    """The linear map of that name."""
    return Linear(arrays[f"{name}.weight"], arrays.get(f"{name}.bias"))


def require_shapes(arrays: Arrays, shapes: Shapes, network: str) -> None:
    """Raises WeightsInvalidError where these are not the parameters of the network."""
    missing = sorted(shapes.keys() - arrays.keys())
    foreign = sorted(arrays.keys() - shapes.keys())
    if missing or foreign:
        raise WeightsInvalidError(
            f"these are not the weights of {network}: of its parameters "
            f"{', '.join(missing) or 'none'} are missing, and {', '.join(foreign) or 'none'} are "
            "not its own"
        )
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise WeightsInvalidError(
                f"these are not the weights of {network}: {name} has the shape "
                f"{arrays[name].shape}, expected {shape}"
            )


def filter_sums(weight: Values) -> Values:
    """The sum of each filter (filters,), added in the order in which PyTorch adds on a CPU.

    A sum in float32 depends on its order: with this one, embeddings of galleries that PyTorch made
    are the same to the bit. Eight neighbours are added side by side, of which four go into sums of
    their own.
    """
    rows = weight.reshape(len(weight), -1)
    count = rows.shape[1] // _SIDE_BY_SIDE
    whole = rows[:, : count * _SIDE_BY_SIDE].reshape(len(rows), count, _SIDE_BY_SIDE)
    in_fours = count - count % 4
    sums = [_in_turn(whole[:, first:in_fours:4]) for first in range(4)]
    sums[0] = _in_turn(np.concatenate([sums[0][:, None], whole[:, in_fours:]], axis=1))
    lanes = _in_turn(np.stack(sums, axis=1))
    rest = _in_turn(rows[:, count * _SIDE_BY_SIDE :, None])
    return _in_turn(np.concatenate([rest, lanes], axis=1)[:, :, None])[:, 0]


def _in_turn(parts: Values) -> Values:
    """Sums over the second axis of (filters, parts, values), one part after another."""
    total = np.zeros((len(parts), parts.shape[2]), dtype=np.float32)
    for place in range(parts.shape[1]):
        total = total + parts[:, place]
    return total
