"""Embeddings of digits in two dimensions, by a classifier and by a metric loss."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.training.digits import embed, train
from benchmarks.training.digits_data import FIRST, SECOND, digits_of, placed
from benchmarks.training.digits_runs import RUNS
from models.training.losses import LOSSES

_STEPS = 300
_SPREAD = 0.06


def draw(path: Path, *, beside: str, steps: int = _STEPS) -> None:
    """Write a picture: a row for softmax and one for the loss, classes known and unseen."""
    figure = Figure(figsize=(9, 9), layout="constrained")
    panels = figure.subplots(2, 2)
    for row, name in zip(panels, ("softmax", beside), strict=True):
        network = train(RUNS[name], digits_of(FIRST), seed=0, steps=steps, dimension=2)
        for panel, classes, kind in zip(
            row, (FIRST, SECOND), ("trained on", "unseen"), strict=True
        ):
            digits = digits_of(classes)
            pictures = placed(digits.pictures, torch.Generator().manual_seed(1))
            rows = embed(network, pictures)
            if LOSSES[name].normalised:
                rows = _on_circle(rows)
            _scatter(panel, rows, digits.classes, classes)
            panel.set_title(f"{name}, {kind}")
    figure.savefig(path, dpi=120)


def _on_circle(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1, as the loss sees them, scattered a little so that none hides another."""
    lengths = 1 + _SPREAD * np.random.default_rng(0).standard_normal((len(rows), 1))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True) * lengths, np.float32)


def _scatter(
    panel: Axes, rows: NDArray[np.float32], labels: NDArray[np.intp], classes: tuple[int, ...]
) -> None:
    for label, digit in enumerate(classes):
        own = rows[labels == label]
        panel.scatter(own[:, 0], own[:, 1], s=8, alpha=0.6, label=str(digit))
    panel.axhline(0, color="0.8", zorder=0)
    panel.axvline(0, color="0.8", zorder=0)
    panel.set_aspect("equal", adjustable="datalim")
    panel.legend(title="digit", loc="upper right", framealpha=0.3)
