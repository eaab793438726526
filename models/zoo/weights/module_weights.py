"""Parameters of modules in PyTorch, from arrays or from a file."""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from models.zoo.architectures import Recipe, build
from models.zoo.errors import WeightsInvalidError
from models.zoo.weights.arrays import Arrays
from models.zoo.weights.weights_file import SavedWeights

_Module = TypeVar("_Module", bound=nn.Module)


def with_arrays(module: _Module, arrays: Arrays, name: str) -> _Module:
    """The module, ready to serve, with copies of the arrays.

    Raises WeightsInvalidError for arrays of another network than `name`.
    """
    # Copied, as arrays in a file's bytes cannot be written to, which PyTorch warns of.
    fill(module, {key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}, name)
    return module.eval()


def module_of(saved: SavedWeights, recipe: Recipe) -> nn.Module:
    """The network with these weights, ready to serve. Raises WeightsInvalidError."""
    module = build(recipe)
    fill(module, saved.state, recipe.architecture)
    return module.eval()


def fill(module: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Load weights into a module. Raises WeightsInvalidError for those of another network."""
    counters = {key for key in module.state_dict() if key.endswith("num_batches_tracked")}
    state = {key: value for key, value in state.items() if key not in counters}
    try:
        found = module.load_state_dict(state, strict=False)
    except RuntimeError as error:  # of sizes that differ
        raise WeightsInvalidError(f"these are not the weights of {name}: {error}") from error
    missing = sorted(set(found.missing_keys) - counters)
    if missing or found.unexpected_keys:
        raise WeightsInvalidError(
            f"these are not the weights of {name}: of its parameters {', '.join(missing) or 'none'}"
            f" are missing, and {', '.join(found.unexpected_keys) or 'none'} are not its own"
        )
