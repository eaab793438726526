"""Errors of networks, training and evaluation, as errors of the command line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from app.errors import InvalidRequest, StartupError
from app.recognition.startup_errors import startup_error
from models.evaluation.errors import NotAReportError, NotMeasurableError
from models.training.errors import (
    CropsCutOtherwiseError,
    RunTakenError,
    RunUnfinishedError,
    TrainingError,
)
from models.zoo.errors import NameTakenError, NetworkUnnamedError, WeightsError

LIBRARY_REMEDIES: Final[Mapping[type[Exception], str]] = {
    CropsCutOtherwiseError: "name another folder with --crops, or delete it",
    NetworkUnnamedError: "name it with --network (see vultus models networks), and give "
    "--dimension and --size-px if they are not those of that network",
    NotAReportError: "give --against the report.json that --out writes",
    RunTakenError: "continue it with --resume {path}, or name another folder",
    RunUnfinishedError: "finish it with vultus train --resume {path}",
}
"""Remedies of errors of `models`, with attributes of the error in braces."""


@contextmanager
def library_errors() -> Iterator[None]:
    """Raise errors of `models` as InvalidRequest or StartupError, with their remedies."""
    try:
        yield
    except (NameTakenError, NotAReportError, NotMeasurableError, TrainingError) as error:
        raise InvalidRequest(_detail(error)) from error
    except NetworkUnnamedError as error:
        raise StartupError(_detail(error)) from error
    except WeightsError as error:
        raise startup_error(error) from error


def _detail(error: Exception) -> str:
    remedy = LIBRARY_REMEDIES.get(type(error))
    return f"{error}; {remedy.format_map(vars(error))}" if remedy else str(error)
