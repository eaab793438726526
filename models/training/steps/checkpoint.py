"""Everything that a run needs to go on, in one file that is replaced as a whole.

Draws are not part of it: they follow from the seed and the step (`randomness.py`), and so do the
learning rates (`optimise.py`).
"""

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from models.files import write_atomically
from models.training.errors import RunUnusableError

_FORMAT = 1


@dataclass(slots=True)
class Progress:
    """How far a run is: `step` steps were made; `loss_sum` is over the `loss_count` of this epoch.

    `history` has a line an evaluation; `best` is the best of them, by the metric, or None.
    """

    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`crops` is the digest of the store; the states are those of PyTorch."""

    crops: str
    progress: Progress
    network: Mapping[str, Any]
    loss: Mapping[str, Any]
    bank: Mapping[str, Any]
    optimiser: Mapping[str, Any]
    scaler: Mapping[str, Any]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """All of it or nothing: whatever kills the process, the last one is whole."""
    progress = checkpoint.progress
    content = {
        "format": _FORMAT,
        "crops": checkpoint.crops,
        "step": progress.step,
        "loss_sum": progress.loss_sum,
        "loss_count": progress.loss_count,
        "seconds": progress.seconds,
        "history": json.dumps(progress.history),
        "best": json.dumps(progress.best),
        "network": checkpoint.network,
        "loss": checkpoint.loss,
        "bank": checkpoint.bank,
        "optimiser": checkpoint.optimiser,
        "scaler": checkpoint.scaler,
    }
    write_atomically(path, lambda file: torch.save(content, file))


def load_checkpoint(path: Path, *, crops: str) -> Checkpoint:
    """Raises RunUnusableError where it is damaged, or of other photos."""
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
        found = read["format"]
    except (OSError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise RunUnusableError(f"{path} cannot be read ({error}); begin the run anew") from error
    if found != _FORMAT:
        raise RunUnusableError(f"{path} is of another version; begin the run anew")
    if read["crops"] != crops:
        raise RunUnusableError(
            f"{path} was trained on other photos than the crops now hold; begin another run"
        )
    return Checkpoint(
        crops=read["crops"],
        progress=Progress(
            step=read["step"],
            loss_sum=read["loss_sum"],
            loss_count=read["loss_count"],
            seconds=read["seconds"],
            history=json.loads(read["history"]),
            best=json.loads(read["best"]),
        ),
        network=read["network"],
        loss=read["loss"],
        bank=read["bank"],
        optimiser=read["optimiser"],
        scaler=read["scaler"],
    )
