"""What training raises. Each text says the fact and the remedy."""


class TrainingError(ValueError):
    """Training cannot begin, or go on, as it is asked for."""


class ConfigInvalidError(TrainingError):
    """The configuration has an unknown option, or a value out of its bounds."""


class StoreUnusableError(TrainingError):
    """The folder of crops is not there, damaged, or of other crops than the network wants."""


class TooFewPeopleError(TrainingError):
    """The photos do not allow what is asked for."""


class RunUnusableError(TrainingError):
    """The folder of a run holds another run, none, or one that does not fit."""


class MetricMissingError(TrainingError):
    """The metric that decides which checkpoint is best cannot be measured on these photos."""


class NotFiniteError(TrainingError):
    """The loss became infinite or not a number."""
