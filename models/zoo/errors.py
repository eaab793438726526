"""What can go wrong with weights. Each text says the fact and the remedy."""


class WeightsError(Exception):
    """The weights of a network cannot be used."""


class WeightsMissingError(WeightsError):
    """The weights are not on this machine and could not be fetched."""


class WeightsInvalidError(WeightsError):
    """The file is there, but does not hold the weights that the network needs."""


class UnknownNetworkError(WeightsError):
    """No network of that name is in the zoo."""
