"""The networks by name, and how each is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from models.zoo import registered
from models.zoo.architectures import DLIB_INPUT, FACENET_INPUT, SFACE_INPUT
from models.zoo.catalogue.entry import find_entry
from models.zoo.catalogue.fetched import list_fetched
from models.zoo.catalogue.load import load_fetched, spec_of
from models.zoo.errors import (
    NotAddedError,
    NotMadeError,
    UnknownNetworkError,
    WeightsInvalidError,
)
from models.zoo.names import FORMER_ONNX
from models.zoo.network import NOT_DOCUMENTED, Network, NetworkSpec
from models.zoo.networks import dlib_weights, sface_weights
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.servable import TorchOnly
from models.zoo.serving.serve import require_torch, serve
from models.zoo.weights.shipped_files import (
    recipe_digest,
    shipped_calibration,
    shipped_distinctiveness,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions(RunOptions):
    """The options of loading.

    `weights_dir` keeps fetched weights and registered networks; `weights_path` names a file in
    place of the published one.
    """

    weights_dir: Path
    weights_path: Path | None = None


@dataclass(frozen=True, slots=True)
class ZooEntry:
    """A network whose weights come with Vultus, or are fetched when it is loaded."""

    spec: NetworkSpec
    load: Callable[[LoadOptions], Network]


def load_network(name: str, options: LoadOptions) -> Network:
    """Load a network by its name: of the zoo, registered in `weights_dir`, or of the catalogue.

    Raises UnknownNetworkError, NotFetchedError, NotMadeError, NotAddedError, WeightsMissingError
    or WeightsInvalidError.
    """
    entry = ZOO.get(name)
    if entry is not None:
        return entry.load(options)
    card = registered.find_card(name, options.weights_dir)
    if card is not None:
        _require_own_weights(name, options)
        return registered.load_registered(
            card, registered.networks_dir(options.weights_dir), options
        )
    digest = recipe_digest(name)
    if digest is not None:
        raise NotMadeError(name, digest=digest)
    if name == FORMER_ONNX:
        raise NotAddedError(name)
    published = find_entry(name)
    if published is not None:
        _require_own_weights(name, options)
        return load_fetched(published, options.weights_dir, options)
    fetched = (one.name for one in list_fetched(options.weights_dir) if one.kind == "embedder")
    known = (*ZOO, *registered.registered_names(options.weights_dir), *fetched)
    raise UnknownNetworkError(
        f"there is no network {name!r}; there are {', '.join(known)}, and those of the catalogue",
        option="name",
    )


def find_spec(name: str, weights_dir: Path) -> NetworkSpec | None:
    """The description of a network that is not loaded; None where it is not known.

    Raises WeightsInvalidError for a damaged card.
    """
    entry = ZOO.get(name)
    if entry is not None:
        return entry.spec
    card = registered.find_card(name, weights_dir)
    if card is not None:
        return card.spec()
    published = find_entry(name)
    return None if published is None else spec_of(published)


def _require_own_weights(name: str, options: LoadOptions) -> None:
    if options.weights_path is not None:
        raise WeightsInvalidError(
            f"{name} is a network with weights of its own, and takes no other file",
            option="weights_path",
        )


DLIB_RESNET = NetworkSpec(
    name="dlib-resnet",
    dimension=128,
    input=DLIB_INPUT,
    mirror_average=True,
    description="dlib's metric-loss ResNet, 29 convolutions (King, 2017)",
    license="CC0-1.0",
    calibration=shipped_calibration("dlib-resnet"),
    distinctiveness=shipped_distinctiveness("dlib-resnet", dimension=128),
    training_data=(
        "3 million photos of 7,485 people: FaceScrub, VGG Face and photos of the internet; people "
        "of LFW were left out as far as their names said"
    ),
)

SFACE = NetworkSpec(
    name="sface",
    dimension=128,
    input=SFACE_INPUT,
    mirror_average=False,
    description="SFace, a MobileNet trained with the sigmoid-constrained loss (Zhong et al., 2021)",
    license="Apache-2.0 (OpenCV Zoo)",
    calibration=shipped_calibration("sface"),
    distinctiveness=shipped_distinctiveness("sface", dimension=128),
    training_data=(
        f"{NOT_DOCUMENTED}; it may hold people of LFW, as the data of every ArcFace may"
    ),
)


def _load_dlib_resnet(options: LoadOptions) -> Network:
    weights, digest = dlib_weights.load(options.weights_path)
    return serve(weights, DLIB_RESNET, digest, options)


def _load_sface(options: LoadOptions) -> Network:
    weights, digest = sface_weights.published(options.weights_path)
    return serve(weights, SFACE, digest, options)


def _facenet_entry(name: str, trained_on: str) -> ZooEntry:
    spec = NetworkSpec(
        name=name,
        dimension=512,
        input=FACENET_INPUT,
        mirror_average=False,
        description=f"InceptionResnetV1 trained on {trained_on} (facenet-pytorch)",
        license=f"MIT for the weights as published; {trained_on} was released for research",
        training_data=trained_on,
    )

    def load(options: LoadOptions) -> Network:
        require_torch(name)
        # Imported here, because it needs PyTorch.
        from models.zoo.networks import facenet  # noqa: PLC0415

        module, digest = facenet.load(
            name, weights_dir=options.weights_dir, weights_path=options.weights_path
        )
        return serve(TorchOnly(lambda: module), spec, digest, options)

    return ZooEntry(spec, load)


ZOO: Mapping[str, ZooEntry] = MappingProxyType(
    {
        entry.spec.name: entry
        for entry in (
            ZooEntry(DLIB_RESNET, _load_dlib_resnet),
            ZooEntry(SFACE, _load_sface),
            _facenet_entry("facenet-vggface2", "VGGFace2"),
            _facenet_entry("facenet-casia-webface", "CASIA-WebFace"),
        )
    }
)
