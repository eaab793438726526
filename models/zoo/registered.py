"""Registered networks: in one folder, the card NAME.json beside the weights.

The weights are NAME.safetensors or, for a graph, a folder NAME with an .onnx file and the files
that it names.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from models.files import file_sha256, move_into_place, write_atomically
from models.zoo.architectures import Recipe
from models.zoo.cards import NAME, NetworkCard, read_card, write_card
from models.zoo.errors import WeightsInvalidError
from models.zoo.network import Network
from models.zoo.networks.dlib_weights import DlibWeights
from models.zoo.networks.sface_weights import SFaceWeights
from models.zoo.serving.onnx_network import external_files, load_described
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.servable import ServableNetwork, TorchOnly
from models.zoo.serving.serve import serve
from models.zoo.weights.arrays import Arrays
from models.zoo.weights.saved_arrays import About, read_about, read_arrays

if TYPE_CHECKING:
    from torch import nn

_WITHOUT_TORCH: Final[Mapping[str, Callable[[Arrays], ServableNetwork]]] = MappingProxyType(
    {"dlib-resnet": DlibWeights, "sface": SFaceWeights}
)
"""Architectures that have forms without PyTorch, by name."""


def networks_dir(weights_dir: Path) -> Path:
    return weights_dir / "networks"


def list_registered(weights_dir: Path) -> tuple[NetworkCard, ...]:
    """Cards of the registered networks, by name. Raises WeightsInvalidError for a damaged one."""
    return tuple(_read(path) for path in _cards(weights_dir))


def registered_names(weights_dir: Path) -> tuple[str, ...]:
    return tuple(path.stem for path in _cards(weights_dir))


def find_card(name: str, weights_dir: Path) -> NetworkCard | None:
    if not NAME.fullmatch(name):
        return None
    path = networks_dir(weights_dir) / f"{name}.json"
    return _read(path) if path.is_file() else None


def register(card: NetworkCard, weights: Path, weights_dir: Path) -> None:
    """Copy the weights, then write the card: the network is known from then on."""
    folder = networks_dir(weights_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if card.onnx is None:
        data = weights.read_bytes()
        write_atomically(folder / f"{card.name}.safetensors", lambda file: file.write(data))
    else:
        _copy_graph(weights, folder / card.name)
    write_card(folder / f"{card.name}.json", card)


def _copy_graph(weights: Path, folder: Path) -> None:
    """Copy the files of a graph. Without a card, the folder is ignored, so it may be incomplete."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in (weights, *external_files(weights)):
        unfinished = folder / f".{file.name}.tmp"
        shutil.copyfile(file, unfinished)
        move_into_place(unfinished, folder / file.name)


def load_registered(card: NetworkCard, folder: Path, options: RunOptions) -> Network:
    """Load a network with the weights under the card's name in `folder`.

    Raises WeightsMissingError, or WeightsInvalidError where the file is not the card's.
    """
    part = card.onnx
    if part is not None:
        path = folder / card.name / part.file
        network = load_described(path, card.spec(), part.colours, part.template, options)
        _require_digest(card, network.digest, path)
        return network
    assert card.recipe is not None
    path = folder / f"{card.name}.safetensors"
    about = read_about(path)
    _require_digest(card, file_sha256(path), path)
    _require_described(card, about)
    return serve(_servable(path, card.recipe), card.spec(), card.digest, options)


def _servable(path: Path, recipe: Recipe) -> ServableNetwork:
    """The network of a file. Raises WeightsInvalidError for weights of another one."""
    known = _WITHOUT_TORCH.get(recipe.architecture)
    if known is not None and recipe.head == "none":
        return known(read_arrays(path))

    def make() -> "nn.Module":
        # Imported here, because these need PyTorch.
        from models.zoo.weights.module_weights import module_of  # noqa: PLC0415
        from models.zoo.weights.weights_file import read_weights  # noqa: PLC0415

        return module_of(read_weights(path), recipe)

    return TorchOnly(make)


def _require_digest(card: NetworkCard, digest: str, path: Path) -> None:
    if digest != card.digest:
        raise WeightsInvalidError(
            f"{path} is not the file that the card of {card.name} was made for, or the card was "
            f"changed: the SHA-256 is {digest}, expected {card.digest}. Add the network again."
        )


def _require_described(card: NetworkCard, about: About) -> None:
    """Require that card and file agree: the digest covers the file alone."""
    recipe = card.recipe
    same = (
        recipe is not None
        and about.recipe == recipe
        and about.mirror_average == card.mirror_average
        and (recipe.dimension, recipe.input) == (card.dimension, card.input)
    )
    if not same:
        raise WeightsInvalidError(
            f"the card of {card.name} describes another network than its weights do (recipe, "
            "dimension, input or mirror_average); add the network again"
        )


def _read(path: Path) -> NetworkCard:
    card = read_card(path)
    if card.name != path.stem:
        raise WeightsInvalidError(f"{path} is the card of {card.name}; rename the files")
    return card


def _cards(weights_dir: Path) -> Iterator[Path]:
    yield from sorted(networks_dir(weights_dir).glob("*.json"))
