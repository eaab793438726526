"""The detectors by name, and the loader of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from app.recognition.detect.found_faces import FindFaces
from app.recognition.detect.mtcnn.search import find_faces as find_by_mtcnn
from app.recognition.detect.scrfd_faces import find_faces as find_by_scrfd
from app.recognition.detect.second_look import find_faces as find_by_yunet
from app.recognition.device import require_full_precision
from models.zoo.catalogue.entry import CatalogueEntry, find_entry
from models.zoo.catalogue.load import fetched_file
from models.zoo.detectors.detector_cards import DETECTOR_CARDS, MTCNN, YUNET, DetectorCard
from models.zoo.detectors.mtcnn import MtcnnNetworks
from models.zoo.detectors.mtcnn_weights import MtcnnWeights
from models.zoo.detectors.scrfd import ScrfdNetwork
from models.zoo.detectors.yunet_weights import build_yunet, load_yunet
from models.zoo.serving.cpu_threads import CpuThreads
from models.zoo.serving.serve import require_torch
from models.zoo.weights.arrays import Arrays


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """Options of loading a detector.

    `device` is `cpu` or `cuda`. `onnx_runtime`: run it by ONNX Runtime (on the CPU), with these
    `threads`. `weights_dir` holds fetched weights.
    """

    device: str
    onnx_runtime: bool
    threads: CpuThreads
    weights_dir: Path


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """`load` takes the networks of MTCNN, of which every detector uses the last, as well. It raises
    WeightsError when the weights cannot be used."""

    card: DetectorCard
    load: Callable[[DetectorOptions, MtcnnNetworks], FindFaces]


def load_mtcnn_networks(options: DetectorOptions) -> MtcnnNetworks:
    """Load MTCNN's networks; other detectors use the last of them.

    Raises WeightsMissingError without the package that has their weights, or without PyTorch where
    they run in it.
    """
    weights = MtcnnWeights.load()
    if options.onnx_runtime:
        # Imported here, as its packages are not needed where PyTorch runs the networks.
        from models.zoo.detectors.mtcnn_onnx import open_mtcnn  # noqa: PLC0415

        return open_mtcnn(weights, threads=options.threads)
    require_torch(MTCNN.name)
    from models.zoo.detectors.mtcnn_modules import torch_mtcnn  # noqa: PLC0415

    require_full_precision(options.device)
    return torch_mtcnn(weights, device=options.device)


def _load_mtcnn(_: DetectorOptions, networks: MtcnnNetworks) -> FindFaces:
    return partial(find_by_mtcnn, networks)


def _load_yunet(options: DetectorOptions, networks: MtcnnNetworks) -> FindFaces:
    return _find_by_yunet(load_yunet(), options, networks)


def _find_by_yunet(weights: Arrays, options: DetectorOptions, networks: MtcnnNetworks) -> FindFaces:
    if options.device != "cpu":
        from app.recognition.batched.load import load_yunet_finder  # noqa: PLC0415

        return load_yunet_finder(weights, device=options.device)
    if options.onnx_runtime:
        from models.zoo.detectors.yunet_onnx import open_yunet  # noqa: PLC0415

        yunet = open_yunet(weights, threads=options.threads)
    else:
        from models.zoo.detectors.yunet_modules import torch_yunet  # noqa: PLC0415

        yunet = torch_yunet(weights, device=options.device)
    return partial(find_by_yunet, yunet, networks)


def _load_published_yunet(
    name: str, options: DetectorOptions, networks: MtcnnNetworks
) -> FindFaces:
    path = fetched_file(_entry(name), options.weights_dir)
    return _find_by_yunet(build_yunet(path.read_bytes()), options, networks)


def _load_scrfd(name: str, options: DetectorOptions, networks: MtcnnNetworks) -> FindFaces:
    entry = _entry(name)
    path = fetched_file(entry, options.weights_dir)
    assert entry.detector is not None
    scrfd = ScrfdNetwork(path, entry.detector, device=options.device, threads=options.threads)
    return partial(find_by_scrfd, scrfd, networks)


def _entry(name: str) -> CatalogueEntry:
    entry = find_entry(name)
    assert entry is not None  # DETECTOR_CARDS has it from there
    return entry


_OF_PACKAGES = {YUNET.name: _load_yunet, MTCNN.name: _load_mtcnn}
_BY_FAMILY = {"yunet": _load_published_yunet, "scrfd": _load_scrfd}


def _loader(name: str) -> Callable[[DetectorOptions, MtcnnNetworks], FindFaces]:
    if name in _OF_PACKAGES:
        return _OF_PACKAGES[name]
    card = _entry(name).detector
    assert card is not None
    assert card.use is not None
    return partial(_BY_FAMILY[card.use.family], name)


DETECTORS: Mapping[str, DetectorEntry] = MappingProxyType(
    {name: DetectorEntry(card, _loader(name)) for name, card in DETECTOR_CARDS.items()}
)
"""Entries by name. A detector that no package ships is loaded by the family on its card."""
