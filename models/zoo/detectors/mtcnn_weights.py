"""Weights of MTCNN's three networks (Zhang et al., 2016), without PyTorch.

They are those that facenet-pytorch publishes as `pnet.pt`, `rnet.pt` and `onet.pt`, to the bit. The
package `mtcnn` ships the same values as lists of arrays, compressed by LZ4, and needs no PyTorch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np

from models.zoo.weights.arrays import Arrays, Values, filter_sums
from models.zoo.weights.packaged import PackagedFile

_HEADS: Final = {2: (2, 1), 3: (2, 3, 1)}
"""The numbers of the heads in the order of the files: corrections, landmarks, probabilities."""


def _file(name: str, size_bytes: int, sha256: str) -> PackagedFile:
    return PackagedFile(
        package="mtcnn",
        path=f"assets/weights/{name}.lz4",
        size_bytes=size_bytes,
        sha256=sha256,
        alternative="",
    )


FILES: Final = (
    _file("pnet", 27_119, "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5"),
    _file("rnet", 401_659, "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee"),
    _file("onet", 1_557_637, "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3"),
)


@dataclass(frozen=True, slots=True)
class CascadeShape:
    """The layers of a network of the cascade.

    A stage is (filters, kernel, kernel of the pooling); `dense` is (inputs, outputs). `heads` are
    how many values there are of probabilities, corrections of boxes and, perhaps, landmarks.
    Parameters have the names of facenet-pytorch: layers are numbered, the heads within their
    number.
    """

    stages: tuple[tuple[int, int, int | None], ...]
    heads: tuple[int, ...]
    dense: tuple[int, int] | None = None

    @property
    def dense_number(self) -> int:
        """The number of the dense layer, and of its PReLU."""
        return len(self.stages) + 1

    @property
    def head_names(self) -> tuple[str, ...]:
        """Names of the heads, in the order of `heads`."""
        number = self.dense_number + (self.dense is not None)
        kind = "conv" if self.dense is None else "dense"
        return tuple(f"{kind}{number}_{place}" for place in range(1, len(self.heads) + 1))


SHAPES: Final = (
    CascadeShape(((10, 3, 2), (16, 3, None), (32, 3, None)), (2, 4)),
    CascadeShape(((28, 3, 3), (48, 3, 3), (64, 2, None)), (2, 4), dense=(576, 128)),
    CascadeShape(
        ((32, 3, 3), (64, 3, 3), (64, 3, 2), (128, 2, None)), (2, 4, 10), dense=(1152, 256)
    ),
)


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """A network of the cascade: its layers, and their parameters for pixels from 0 to 255."""

    shape: CascadeShape
    arrays: Arrays


@dataclass(frozen=True, slots=True, eq=False)
class MtcnnWeights:
    """The three networks; what each takes and returns is in `mtcnn.py`."""

    proposals: Cascade
    refinement: Cascade
    output: Cascade

    @classmethod
    def load(cls) -> "MtcnnWeights":
        """Raises WeightsMissingError without the package that has the weights, WeightsInvalidError
        where its files are not the published ones."""
        return cls(
            *(
                Cascade(shape, _taking_pixels(arrays))
                for shape, arrays in zip(SHAPES, read_published(), strict=True)
            )
        )


def read_published() -> list[Arrays]:
    """The parameters of the three networks as they are published: for pixels (p - 127.5) / 128.

    Raises WeightsMissingError or WeightsInvalidError.
    """
    return [
        _named(shape, _arrays_in(file.read())) for shape, file in zip(SHAPES, FILES, strict=True)
    ]


def _arrays_in(content: bytes) -> Sequence[Values]:
    # Imported here, as only a detector needs it. It unpickles, which can run code: the SHA-256 of
    # the content has been compared.
    import joblib  # noqa: PLC0415

    arrays: Sequence[Values] = joblib.load(BytesIO(content))
    return arrays


def _named(shape: CascadeShape, arrays: Sequence[Values]) -> Arrays:
    """The arrays by name, in PyTorch's order of axes: the files have TensorFlow's."""
    names = []
    for number in range(1, len(shape.stages) + 1):
        names += [f"conv{number}.weight", f"conv{number}.bias", f"prelu{number}.weight"]
    if shape.dense is not None:
        number = shape.dense_number
        names += [f"dense{number}.weight", f"dense{number}.bias", f"prelu{number}.weight"]
    for place in _HEADS[len(shape.heads)]:
        head = shape.head_names[place - 1]
        names += [f"{head}.weight", f"{head}.bias"]
    return {
        name: _reordered(values, is_slope=name.startswith("prelu"))
        for name, values in zip(names, arrays, strict=True)
    }


def _reordered(values: Values, *, is_slope: bool) -> Values:
    if is_slope:
        values = values.reshape(-1)
    elif values.ndim == 4:  # height, width, inputs, filters
        values = values.transpose(3, 2, 0, 1)
    elif values.ndim == 2:  # inputs, outputs
        values = values.T
    return np.ascontiguousarray(values, dtype=np.float32)


def _taking_pixels(arrays: Arrays) -> Arrays:
    """Fold the normalisation of pixels, (pixel - 127.5) / 128, into the first convolution.

    This convolution has no padding, so that the results are the same.
    """
    weight, bias = arrays["conv1.weight"], arrays["conv1.bias"]
    shift = filter_sums(weight) * np.float32(127.5 / 128)
    return {
        **arrays,
        "conv1.weight": weight / np.float32(128),
        "conv1.bias": bias - shift,
    }
