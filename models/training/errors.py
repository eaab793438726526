"""Errors of training. Each text is a fact, or names the option of the run that is at fault."""

from pathlib import Path


class TrainingError(ValueError):
    """Training cannot begin, or go on, as it is asked for."""


class ConfigInvalidError(TrainingError):
    """The configuration has an unknown option, or a value out of its bounds."""


class StoreUnusableError(TrainingError):
    """The folder of crops is not there, damaged, or has crops of another network."""


class CropsCutOtherwiseError(StoreUnusableError):
    """A folder of crops was filled in another way, or nothing says how it was filled."""


class TooFewPeopleError(TrainingError):
    """The photos do not allow what is asked for."""


class RunUnusableError(TrainingError):
    """The folder of a run holds another run, none, or one that does not fit."""


class RunTakenError(RunUnusableError):
    """The folder `path` holds a run already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} already holds a run")
        self.path = path


class RunUnfinishedError(RunUnusableError):
    """The run in the folder `path` has not finished."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds no finished run")
        self.path = path


class MetricMissingError(TrainingError):
    """The metric that decides which checkpoint is best cannot be measured on these photos."""


class NotFiniteError(TrainingError):
    """The loss, or its gradients, became infinite or not a number."""


class UnknownLossError(TrainingError):
    """No loss of that name is known."""


class LossOptionsError(TrainingError):
    """A loss does not have such an option, or not such a value of it."""


class MinedTuplesError(TrainingError):
    """The loss is not made of pairs or triplets, so that a miner has nothing to choose for it."""


class UnknownMinerError(TrainingError):
    """No miner of that name is known."""


class MinerOptionsError(TrainingError):
    """A miner does not have such an option, or not such a value of it."""


class UnknownMetricError(TrainingError):
    """No linear metric of that name is known."""


class MetricOptionsError(TrainingError):
    """A linear metric does not have such an option, or not such a value of it."""


class NothingToLearnError(TrainingError):
    """The examples have no two of one person, or no two of different people."""
