"""Errors of training. Each text is a fact, or names the wrong option."""

from pathlib import Path
from typing import ClassVar


class TrainingError(ValueError):
    """Training cannot begin, or cannot continue."""


class ConfigInvalidError(TrainingError):
    """The configuration has an unknown option, or a value out of its bounds."""


class StoreUnusableError(TrainingError):
    """The folder of crops is missing or damaged, or has crops of another network."""


class CropsCutOtherwiseError(StoreUnusableError):
    """A folder has crops that were cut otherwise, or does not say how they were cut."""


class TooFewPeopleError(TrainingError):
    """There are too few people or photos for the configuration."""


class RunUnusableError(TrainingError):
    """The folder of a run contains another run, no run, or one that does not fit."""


class _OfFolder(RunUnusableError):
    """An error of the run in the folder `path`."""

    fact: ClassVar[str]

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} {self.fact}")
        self.path = path


class RunTakenError(_OfFolder):
    """The folder already contains a run."""

    fact = "already holds a run"


class RunUnfinishedError(_OfFolder):
    """The run in the folder has not finished."""

    fact = "holds no finished run"


class MetricMissingError(TrainingError):
    """The metric that determines the best weights cannot be measured on these photos."""


class NotFiniteError(TrainingError):
    """The loss, or its gradients, became infinite or not a number."""


class UnknownLossError(TrainingError):
    """No loss of that name is known."""


class LossOptionsError(TrainingError):
    """A loss does not have this option, or the value is not allowed."""


class MinedTuplesError(TrainingError):
    """The loss does not use pairs or triplets, which a miner chooses."""


class UnknownMinerError(TrainingError):
    """No miner of that name is known."""


class MinerOptionsError(TrainingError):
    """A miner does not have this option, or the value is not allowed."""


class UnknownMetricError(TrainingError):
    """No linear metric of that name is known."""


class MetricOptionsError(TrainingError):
    """A linear metric does not have this option, or the value is not allowed."""


class NothingToLearnError(TrainingError):
    """There are no two examples of one person, or no two people."""
