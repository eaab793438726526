"""Weights of trained networks as safetensors, with the recipe that rebuilds the network inside."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from models.files import file_sha256, write_atomically
from models.zoo.architectures import Recipe
from models.zoo.errors import WeightsInvalidError
from models.zoo.weights.saved_arrays import about_in, description, reading


@dataclass(frozen=True, slots=True)
class SavedWeights:
    """`digest` is the SHA-256 of the file; `recipe` and `mirror_average` are None in a file that
    Vultus has not written."""

    state: Mapping[str, Tensor]
    digest: str
    recipe: Recipe | None
    mirror_average: bool | None


def save_weights(
    path: Path, state: Mapping[str, Tensor], recipe: Recipe, *, mirror_average: bool
) -> str:
    """Write the file as a whole; return its SHA-256, which follows from the weights.

    The batch counters of normalisation are omitted, as nothing depends on them.
    """
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
    data = save(tensors, metadata=description(recipe, mirror_average=mirror_average))
    write_atomically(path, lambda file: file.write(data))
    return hashlib.sha256(data).hexdigest()


def read_weights(path: Path) -> SavedWeights:
    """Read a .safetensors file, or a state that `torch.save` wrote.

    Raises WeightsMissingError, WeightsInvalidError.
    """

    def read() -> SavedWeights:
        digest = file_sha256(path)
        if path.suffix != ".safetensors":
            return SavedWeights(_torch_state(path), digest, None, None)
        with safe_open(path, framework="pt") as opened:
            about = about_in(opened)
            state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        return SavedWeights(state, digest, about.recipe, about.mirror_average)

    return reading(path, read)


def _torch_state(path: Path) -> Mapping[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if all(isinstance(value, Tensor) for value in state.values()):
            return state  # type: ignore[no-any-return]
    except Exception as error:  # torch.load raises unpickling, zip, key and runtime errors
        raise WeightsInvalidError(
            f"{path} is not a state of a network ({type(error).__name__}: {str(error)[:200]})"
        ) from error
    raise WeightsInvalidError(f"{path} contains other objects than tensors; save only a state_dict")
