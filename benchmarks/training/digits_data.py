"""scikit-learn's handwritten digits, each somewhere in a larger picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

FIRST, SECOND = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
SIDE_PX = 20
_DIGIT_PX = 8


@dataclass(frozen=True, slots=True)
class Digits:
    """`pictures` (N, 8, 8) from 0 to 1, and which of its classes, counted from 0, each is."""

    pictures: Tensor
    labels: Tensor

    @property
    def classes(self) -> NDArray[np.intp]:
        return self.labels.numpy().astype(np.intp)


def digits_of(classes: Sequence[int]) -> Digits:
    data = load_digits()
    of = np.isin(data.target, classes)
    labels = np.searchsorted(classes, data.target[of])
    pictures = (data.images[of] / data.images.max()).astype(np.float32)
    return Digits(torch.from_numpy(pictures), torch.from_numpy(labels))


def placed(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """(N, 1, 20, 20), each digit anywhere in its picture."""
    count, free = len(pictures), SIDE_PX - _DIGIT_PX + 1
    top, left = torch.randint(free, (2, count), generator=generator)
    own = torch.arange(_DIGIT_PX)
    larger = torch.zeros(count, SIDE_PX, SIDE_PX)
    rows, columns = top[:, None, None] + own[:, None], left[:, None, None] + own
    larger[torch.arange(count)[:, None, None], rows, columns] = pictures
    return larger[:, None]


def batch_of(digits: Digits, each: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """`each` different examples of every class, placed anew, and their labels."""
    rows = []
    for label in range(int(digits.labels.max()) + 1):
        own = torch.where(digits.labels == label)[0]
        rows.append(own[torch.randperm(len(own), generator=generator)[:each]])
    chosen = torch.cat(rows)
    return placed(digits.pictures[chosen], generator), digits.labels[chosen]
