"""Errors of networks, as errors of a start. Imports no networks."""

from app.errors import (
    NetworkNotAdded,
    NetworkNotFetched,
    NetworkNotMade,
    SettingUnusable,
    StartupError,
)
from models.zoo.errors import NotAddedError, NotFetchedError, NotMadeError, WeightsError


def startup_error(error: WeightsError, prefix: str | None = None) -> StartupError:
    """Return the same fact as an error of the service, for which the edges know the remedy.

    `prefix`: of the settings of the network that was loaded, if settings named it. The error then
    names the setting of the option that is wrong.
    """
    if isinstance(error, NotFetchedError):
        return NetworkNotFetched(
            str(error), name=error.name, needs_acceptance=error.needs_acceptance
        )
    if isinstance(error, NotMadeError):
        return NetworkNotMade(str(error), name=error.name, digest=error.digest)
    if isinstance(error, NotAddedError):
        return NetworkNotAdded(str(error), name=error.name)
    settings = {
        "backend": "VULTUS_BACKEND",  # of both networks
        "name": f"{prefix}EMBEDDER",
        "weights_path": f"{prefix}WEIGHTS_PATH",
    }
    if prefix is None or error.option not in settings:
        return StartupError(str(error))
    return SettingUnusable(str(error), setting=settings[error.option])
