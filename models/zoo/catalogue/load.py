"""Loading of a fetched embedder, as its card describes it."""

from pathlib import Path

from models.files import file_sha256
from models.zoo.catalogue.entry import CatalogueEntry
from models.zoo.catalogue.fetched import file_of, find_receipt
from models.zoo.errors import NotFetchedError, UnknownNetworkError, WeightsInvalidError
from models.zoo.network import InputSpec, Network, NetworkSpec
from models.zoo.networks import sface_weights
from models.zoo.serving.onnx_network import load_described
from models.zoo.serving.run_options import RunOptions
from models.zoo.serving.serve import serve
from models.zoo.templates import scaled_template


def spec_of(entry: CatalogueEntry) -> NetworkSpec | None:
    """The description of an embedder; None for other kinds of networks."""
    card = entry.embedder
    if card is None:
        return None
    template = scaled_template(card.template, card.size_px)
    return NetworkSpec(
        name=entry.name,
        dimension=card.dimension,
        input=InputSpec(card.size_px, template, mean=card.mean, std=card.std),
        mirror_average=card.mirror_average,
        description=entry.description,
        license=entry.license.summary,
        training_data=entry.training_data,
    )


def fetched_file(entry: CatalogueEntry, weights_dir: Path) -> Path:
    """The network's file, checked against its receipt.

    Raises NotFetchedError, or WeightsInvalidError where the file has changed.
    """
    receipt = find_receipt(entry, weights_dir)
    if receipt is None:
        raise NotFetchedError(entry.name, needs_acceptance=entry.needs_acceptance)
    path = file_of(entry.name, weights_dir)
    digest = file_sha256(path)
    if digest != receipt.sha256:
        raise WeightsInvalidError(
            f"{path} is not the file that was fetched: its SHA-256 is {digest}, expected "
            f"{receipt.sha256}; delete it and fetch the network again"
        )
    return path


def load_fetched(entry: CatalogueEntry, weights_dir: Path, run: RunOptions) -> Network:
    """The embedder of a card, in the fastest installed runtime.

    Raises UnknownNetworkError for another kind of network, NotFetchedError, WeightsMissingError
    without the runtime, or WeightsInvalidError where file and card do not agree.
    """
    card, spec = entry.embedder, spec_of(entry)
    if card is None or spec is None:
        raise UnknownNetworkError(
            f"{entry.name} is a network of kind {entry.kind}, and makes no embeddings",
            option="name",
        )
    path = fetched_file(entry, weights_dir)
    if card.architecture == "sface":
        return serve(sface_weights.build(path.read_bytes()), spec, file_sha256(path), run)
    return load_described(path, spec, card.colours, card.template, run)
