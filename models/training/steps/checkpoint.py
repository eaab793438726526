"""The state of a run, in one file that is replaced as a whole.

Random draws are not part of it: they follow from the seed and the step (`randomness.py`). Learning
rates follow from the step, too (`optimise.py`).
"""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from models.files import write_atomically
from models.training.errors import RunUnusableError

_FORMAT = 1


@dataclass(slots=True)
class Progress:
    """The progress of a run: the number of steps made, the loss, and the evaluations.

    `loss_sum` is over the `loss_count` steps of this epoch. `history` has a line for each
    evaluation; `best` is the best line by the metric, or None.
    """

    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`crops` is the digest of the crop store; the others are states of PyTorch."""

    crops: str
    progress: Progress
    network: Mapping[str, Any]
    loss: Mapping[str, Any]
    bank: Mapping[str, Any]
    optimiser: Mapping[str, Any]
    scaler: Mapping[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the file as a whole: a process that is killed leaves a complete checkpoint."""
    content = {"format": _FORMAT, **_values(checkpoint), **_values(checkpoint.progress)}
    del content["progress"]
    for name in ("history", "best"):
        content[name] = json.dumps(content[name])
    write_atomically(path, lambda file: torch.save(content, file))


def load_checkpoint(path: Path, *, crops: str) -> Checkpoint:
    """Raises RunUnusableError where it is damaged, or of other photos."""
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
        found = read.pop("format")
    except (OSError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise RunUnusableError(f"{path} cannot be read ({error}); begin the run anew") from error
    if found != _FORMAT:
        raise RunUnusableError(f"{path} is of another version; begin the run anew")
    if read["crops"] != crops:
        raise RunUnusableError(
            f"{path} was trained on other photos than the crops now hold; begin another run"
        )
    for name in ("history", "best"):
        read[name] = json.loads(read[name])
    progress = Progress(**{name: read.pop(name) for name in _values(Progress())})
    return Checkpoint(progress=progress, **read)


def _values(record: Progress | Checkpoint) -> dict[str, Any]:
    return {one.name: getattr(record, one.name) for one in fields(record)}
