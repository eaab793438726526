"""Construction of a network for training, with its initial weights and its frozen parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from models.training.config import NO_FILES, NetworkOptions
from models.training.data.crop_store import CropStore
from models.training.errors import ConfigInvalidError, StoreUnusableError
from models.zoo.architectures import ARCHITECTURES, Recipe, build, find_architecture
from models.zoo.errors import WeightsError, WeightsMissingError
from models.zoo.network import InputSpec
from models.zoo.networks.divisible import Parted
from models.zoo.networks.headed import Headed
from models.zoo.weights.module_weights import fill
from models.zoo.weights.weights_file import SavedWeights, read_weights


@dataclass(frozen=True, slots=True)
class TrainableNetwork:
    """`module` maps normalised crops to embeddings of any length; `frozen` are fixed parts."""

    module: nn.Module
    recipe: Recipe
    frozen: Sequence[nn.Module]

    def training_mode(self) -> None:
        """Enter training mode, except in frozen parts: their normalisation keeps its statistics."""
        self.module.train()
        for part in self.frozen:
            part.eval()


def input_of(options: NetworkOptions) -> InputSpec:
    """The crop of the network.

    Raises ConfigInvalidError, or WeightsError where the file of weights cannot be read.
    """
    saved = None if options.weights in NO_FILES else read_weights(Path(options.weights))
    return _recipe(options, saved).input


def build_network(
    options: NetworkOptions, *, weights_dir: Path, seed: int, synchronised: bool = False
) -> TrainableNetwork:
    """Build the network; `seed` determines its random weights.

    `synchronised`: normalisation uses the statistics of the GPUs of all processes. Raises
    ConfigInvalidError, or WeightsError where the weights cannot be loaded.
    """
    saved = _saved(options, weights_dir)
    recipe = _recipe(options, saved)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = build(recipe)
    if saved is not None:
        whole = saved.recipe is not None and saved.recipe.head != "none"
        inner = module.backbone if isinstance(module, Headed) and not whole else module
        fill(inner, saved.state, options.name)
    if synchronised:
        module = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
    return TrainableNetwork(module, recipe, _freeze(module, options))


def begins_from_scratch(options: NetworkOptions) -> bool:
    """Whether all initial weights are random."""
    if options.weights == "auto":
        known = ARCHITECTURES.get(options.name)
        return known is None or not known.installed
    return options.weights == "scratch"


def require_crops_of(network: TrainableNetwork, store: CropStore) -> None:
    """Raises StoreUnusableError where the crops were cut for another network."""
    wanted = network.recipe.input
    if (wanted.size_px, wanted.template) != (store.input.size_px, store.input.template):
        raise StoreUnusableError(
            f"{store.folder} has crops of {store.input.size_px} px that were cut for another "
            f"network; {network.recipe.architecture} takes crops of {wanted.size_px} px: cut the "
            "photos again"
        )


def _saved(options: NetworkOptions, weights_dir: Path) -> SavedWeights | None:
    if begins_from_scratch(options):
        return None
    if options.weights in ("auto", "published"):
        published = find_architecture(options.name).published
        if published is None:
            raise WeightsMissingError(
                f"Vultus knows no published weights of {options.name}; name a file with "
                "network.weights, or begin from scratch with network.weights=scratch"
            )
        return SavedWeights(published(weights_dir).state_dict(), "", None, None)
    return read_weights(Path(options.weights))


def _recipe(options: NetworkOptions, saved: SavedWeights | None) -> Recipe:
    before = None if saved is None else saved.recipe
    if before is not None and before.architecture != options.name:
        raise ConfigInvalidError(
            f"network.weights are of {before.architecture}; set network.name={before.architecture}"
        )
    own_side = None if before is None else before.size_px
    try:
        architecture = find_architecture(options.name)
        side = architecture.input_at(options.size_px or own_side).size_px
    except (WeightsError, ValueError) as error:
        raise ConfigInvalidError(f"network: {error}") from error
    own = architecture.dimension if before is None else before.backbone_dimension
    if options.head == "none":
        dimension = options.dimension or own
        return Recipe(options.name, side, dimension, dimension)
    return Recipe(options.name, side, own, options.dimension or own, options.head)


def _freeze(module: nn.Module, options: NetworkOptions) -> list[nn.Module]:
    if isinstance(module, Headed):
        frozen: Sequence[nn.Module] = [module.backbone]
    else:
        assert isinstance(module, Parted)
        parts = module.parts()
        if options.frozen_parts > len(parts):
            raise ConfigInvalidError(
                f"network.frozen_parts is {options.frozen_parts}; {options.name} has {len(parts)} "
                "parts"
            )
        frozen = parts[: options.frozen_parts]
    for part in frozen:
        part.requires_grad_(False)
    return list(frozen)
