"""Errors of weights. Each text is a fact."""


class WeightsError(Exception):
    """The weights of a network cannot be used.

    `option`: the field of `LoadOptions` that is wrong, or `name`; empty where no option is.
    """

    def __init__(self, message: str, *, option: str = "") -> None:
        super().__init__(message)
        self.option = option


class WeightsMissingError(WeightsError):
    """The weights are not on this machine and could not be fetched."""


class NotFetchedError(WeightsMissingError):
    """The file of a network of the catalogue has not been fetched.

    `needs_acceptance`: its licence has to be accepted first.
    """

    def __init__(self, name: str, *, needs_acceptance: bool) -> None:
        super().__init__(f"the network {name} is in the catalogue, but its file is not here")
        self.name = name
        self.needs_acceptance = needs_acceptance


class NotMadeError(WeightsMissingError):
    """Vultus no longer ships the network, and its file is not published.

    `digest`: SHA-256 of the file that collections use; see `weights/shipped_files.py`.
    """

    def __init__(self, name: str, *, digest: str) -> None:
        super().__init__(f"the network {name} is not installed: Vultus no longer ships its weights")
        self.name = name
        self.digest = digest


class NotAddedError(WeightsMissingError):
    """The network is a file of the user (`names.FORMER_ONNX`) that has not been registered."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the network {name} is a file of your own, and it is not registered")
        self.name = name


class WeightsInvalidError(WeightsError):
    """The file does not contain the weights that the network needs."""


class NetworkUnnamedError(WeightsInvalidError):
    """The file holds weights, but does not name the network that they are of."""


class RuntimeUnusableError(WeightsError):
    """The runtime of the network is installed, but does not work on this machine."""


class NameTakenError(ValueError):
    """The name belongs to another network, or is not allowed."""


class UnknownNetworkError(WeightsError):
    """No network of that name is in the zoo."""
