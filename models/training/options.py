"""Options of losses, miners and metrics: named values with bounds."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from models.training.errors import TrainingError


class Options(BaseModel):
    """Options that refuse unknown names; every field has bounds and a description."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NoOptions(Options):
    """No options."""


_Chosen = TypeVar("_Chosen", bound=Options)


def read_options(
    model: type[_Chosen],
    values: Mapping[str, object] | None,
    *,
    of: str,
    error: type[TrainingError],
) -> _Chosen:
    """The checked options. Raises `error`, in which `of` names what the options are for."""
    try:
        return model.model_validate(dict(values or {}))
    except ValidationError as invalid:
        raise error(_explain(model, invalid, of)) from None


def _explain(model: type[Options], invalid: ValidationError, of: str) -> str:
    faults = []
    for fault in invalid.errors(include_url=False):
        name = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields) or "none"
            faults.append(f"{of} has no option {name!r}; it has: {known}")
        else:
            faults.append(f"option {name!r} of {of} is {fault['input']!r}: {fault['msg']}")
    return "; ".join(faults)
