"""Weights of trained networks as NumPy arrays, with the recipe in their file, without PyTorch."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from pydantic import BaseModel
from safetensors import SafetensorError, safe_open

from models.zoo.architectures import Recipe
from models.zoo.errors import WeightsInvalidError, WeightsMissingError
from models.zoo.weights.arrays import Arrays

METADATA_KEY: Final = "vultus"

_Read = TypeVar("_Read")


class About(BaseModel):
    """The description of the network in a file that Vultus has written."""

    recipe: Recipe | None = None
    mirror_average: bool | None = None


def read_arrays(path: Path) -> Arrays:
    """Read the weights in a .safetensors file, as float32.

    Raises WeightsMissingError, WeightsInvalidError.
    """

    def read() -> Arrays:
        with safe_open(path, framework="numpy") as opened:
            return {
                name: np.asarray(opened.get_tensor(name), dtype=np.float32)
                for name in opened.keys()  # noqa: SIM118
            }

    return reading(path, read)


def read_about(path: Path) -> About:
    """Read the description in a .safetensors file alone.

    Raises WeightsMissingError, WeightsInvalidError.
    """

    def read() -> About:
        with safe_open(path, framework="numpy") as opened:
            return about_in(opened)

    return reading(path, read)


def about_in(opened: Any) -> About:  # noqa: ANN401  (safetensors' class has no public name)
    """The description in an opened file."""
    return About.model_validate_json((opened.metadata() or {}).get(METADATA_KEY, "{}"))


def description(recipe: Recipe, *, mirror_average: bool) -> dict[str, str]:
    """The metadata of a file that describe its network."""
    about = {"recipe": asdict(recipe), "mirror_average": mirror_average}
    return {METADATA_KEY: json.dumps(about, sort_keys=True)}


def reading(path: Path, read: Callable[[], _Read]) -> _Read:
    """The result of `read`, whose errors become those of weights."""
    try:
        return read()
    except FileNotFoundError as error:
        raise WeightsMissingError(f"there is no weights file {path}; name another path") from error
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise WeightsInvalidError(
            f"{path} cannot be read as weights ({error}); take another copy of it"
        ) from error
