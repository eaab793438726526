"""Large margin nearest neighbours: strangers are kept out of the neighbourhoods of people."""

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from models.training.metrics.base import Floats, LinearMetric, Progress
from models.training.options import Options

_SMALLEST_STEP = 1e-9
_CELLS_AT_ONCE = 4_000_000


class LmnnOptions(Options):
    neighbours: int = Field(3, ge=1, le=100, description="k: of the own person, to be kept near")
    push: float = Field(0.5, ge=0, le=1, description="mu: share of keeping strangers out")
    margin: float = Field(
        0.1, gt=0, le=10, description="by which they are kept out, by the mean squared distance"
    )
    steps: int = Field(60, ge=1, le=10_000, description="of gradient descent")
    step_size: float = Field(0.1, gt=0, le=10, description="of the first one, by the size of L")
    dimension: int | None = Field(
        None, ge=1, description="D': rows of L; as many as embeddings have, if not said"
    )


class Lmnn(LinearMetric):
    """Weinberger and Saul (2009), by gradient descent on L, so that L^T L is always positive.

    L begins as the principal axes. The target neighbours are fixed by the distances before. A step
    that raises the objective is undone and halved, so that nothing depends on chance.
    """

    name = "lmnn"
    title = "Large margin nearest neighbours"
    equation = (
        "minimise, over neighbours j of i, (1 - mu) |L(i - j)|^2 + mu sum over strangers l of "
        "max(0, m + |L(i - j)|^2 - |L(i - l)|^2)"
    )
    source = "Weinberger, Saul: Distance Metric Learning for Large Margin Nearest Neighbor, 2009"
    options = LmnnOptions
    chosen: LmnnOptions

    def learn(self, rows: Floats, people: NDArray[np.intp], progress: Progress) -> Floats:
        o = self.chosen
        points, of = torch.from_numpy(rows), torch.from_numpy(people)
        targets = target_neighbours(points, of, o.neighbours)
        found = principal_axes(points, o.dimension or points.shape[1])
        value, gradient = objective(found, points, of, targets, push=o.push, margin=o.margin)
        step = o.step_size
        for done in range(1, o.steps + 1):
            size = gradient.norm()
            while size > 0 and step > _SMALLEST_STEP:
                moved = found - step * found.norm() / size * gradient
                lower, there = objective(moved, points, of, targets, push=o.push, margin=o.margin)
                if lower < value:
                    found, value, gradient, step = moved, lower, there, step * 1.2
                    break
                step /= 2
            progress(done, o.steps, value)
            if step <= _SMALLEST_STEP or size == 0:
                break
        return found.numpy()


def target_neighbours(rows: Tensor, people: Tensor, count: int) -> Tensor:
    """Indices of the nearest `count` examples of the same person, (N, count); -1 for none."""
    distance = torch.cdist(rows, rows)
    distance.masked_fill_(people[:, None] != people[None, :], torch.inf)
    distance.fill_diagonal_(torch.inf)
    nearest, places = distance.topk(min(count, len(rows) - 1), largest=False)
    return torch.where(nearest.isfinite(), places, -1)


def principal_axes(rows: Tensor, dimension: int) -> Tensor:
    """The directions in which centred rows vary most, (dimension, D), in descending order."""
    axes: Tensor = torch.linalg.eigh(rows.T @ rows).eigenvectors
    return axes.flip(1).T[:dimension].contiguous()


def objective(
    linear: Tensor, rows: Tensor, people: Tensor, targets: Tensor, *, push: float, margin: float
) -> tuple[float, Tensor]:
    """The mean over target neighbours of pull and push, and its gradient by L.

    Of each neighbour j of i: (1 - push) d_ij + push sum over strangers l of
    max(0, margin + d_ij - d_il), d squared distances after L.
    """
    linear = linear.detach().requires_grad_()
    moved = rows @ linear.T
    pairs = max(int((targets >= 0).sum()), 1)
    chunk = max(_CELLS_AT_ONCE // (len(rows) * targets.shape[1]), 1)
    # The gradient by the moved rows is summed in pieces; then it is propagated to L once.
    at_rows = moved.detach().requires_grad_()
    total = 0.0
    for start in range(0, len(rows), chunk):
        part = _of_rows(at_rows, people, targets, start, start + chunk, push, margin) / pairs
        part.backward()  # type: ignore[no-untyped-call]
        total += part.item()
    moved.backward(at_rows.grad)  # type: ignore[no-untyped-call]
    assert linear.grad is not None
    return total, linear.grad


def _of_rows(
    moved: Tensor,
    people: Tensor,
    targets: Tensor,
    start: int,
    stop: int,
    push: float,
    margin: float,
) -> Tensor:
    own, own_targets = moved[start:stop], targets[start:stop]
    known = own_targets >= 0
    pull = (own[:, None, :] - moved[own_targets.clamp(min=0)]).square().sum(dim=2)
    squares = moved.square().sum(dim=1)
    squared = squares[start:stop, None] + squares[None, :] - 2 * own @ moved.T
    stranger = people[start:stop, None] != people[None, :]
    hinge = torch.relu(margin + pull[:, :, None] - squared[:, None, :]) * stranger[:, None, :]
    of_target = (1 - push) * pull + push * hinge.sum(dim=2)
    return (of_target * known).sum()
