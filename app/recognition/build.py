"""Build a recognizer from the settings."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

import structlog

from app.errors import PackagesMissing, SettingUnusable, StartupError
from app.recognition.batch import BatchRecognizer
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detect.detector_registry import (
    DETECTORS,
    DetectorOptions,
    load_mtcnn_networks,
)
from app.recognition.device import detector_device, limit_threads, resolve_device
from app.recognition.embedder import NetworkEmbedder
from app.recognition.liveness.liveness_scorer import LivenessScorer
from app.recognition.memory_budget import MemoryBudget
from app.recognition.pipeline import NICENESS, Recognizer
from app.recognition.scheduler import SchedulerOptions, SchedulerWatch
from app.recognition.startup_errors import startup_error
from app.runtime.cores import own_cores
from app.runtime.thread_priority import give_way
from app.settings import AUTO_EMBEDDER, Settings
from models.zoo.catalogue.fetched import list_fetched
from models.zoo.catalogue.load import spec_of
from models.zoo.errors import WeightsError
from models.zoo.names import DEFAULT_NETWORK
from models.zoo.network import Network, NetworkSpec
from models.zoo.registered import list_registered
from models.zoo.registry import ZOO, LoadOptions, load_network
from models.zoo.serving.backends import EXTRAS, BackendChoice, missing_packages
from models.zoo.serving.cpu_threads import CpuThreads

_MOST_IDLE_THREADS = 4  # networks of this size gain little from more
_GPU_THREADS = 2  # one decodes and crops while the other has the device
_CPU_BATCH = 8
_GPU_BATCH = 64  # small photos fill a GPU only by many

_log = structlog.get_logger(__name__)


def load_configured_network(settings: Settings, threads: CpuThreads | None = None) -> Network:
    """Load the embedding network that the settings name.

    `threads` are those of one pass through it (default: `cpu_threads`). Raises StartupError.
    """
    return _load(settings, named_embedder(settings), settings.weights_path, threads=threads)


def named_embedder(settings: Settings) -> str:
    """The embedder that the settings name; for `auto`, the default network.

    With a gallery, `choose_embedder` resolves `auto` first.
    """
    return DEFAULT_NETWORK if settings.embedder == AUTO_EMBEDDER else settings.embedder


def load_next_network(settings: Settings) -> Network | None:
    """Load the next embedder, if the settings name one. Raises StartupError."""
    chosen = settings.next
    if chosen.embedder is None:
        return None
    return _load(settings, chosen.embedder, chosen.weights_path, prefix="VULTUS_NEXT__")


def load_named_network(settings: Settings, name: str, weights_path: Path | None) -> Network:
    """Load a network by name, from `weights_path`, else from where the settings say.

    Raises StartupError.
    """
    own, following = named_embedder(settings), settings.next.embedder
    group = settings if name == own != following else settings.next
    own_path = group.weights_path if name in (own, following) else None
    return _load(settings, name, weights_path or own_path)


def _load(
    settings: Settings,
    name: str,
    weights_path: Path | None,
    *,
    prefix: str = "VULTUS_",
    threads: CpuThreads | None = None,
) -> Network:
    device = resolve_device(settings.device)
    threads = threads or cpu_threads()
    limit_threads(threads.busy)
    options = LoadOptions(
        device=device,
        backend=embedder_backend(settings, device),
        half=settings.half_precision,
        weights_dir=settings.resolved_weights_dir,
        weights_path=weights_path,
        threads=threads,
        passes=thread_count(settings, device),
        prepared_dir=settings.resolved_prepared_dir,
    )
    try:
        network = load_network(name, options)
    except WeightsError as error:
        raise startup_error(error, prefix) from error
    limit_threads(threads.busy)  # again, as loading may have imported PyTorch
    return network


def build_recognizer(
    settings: Settings,
    network: Network,
    *,
    next_network: Network | None = None,
    liveness: LivenessScorer | None = None,
    watch: SchedulerWatch | None = None,
    batch_size: int | None = None,
    threads: CpuThreads | None = None,
) -> Recognizer:
    """Assemble the detector, the embedders and the threads that they run in.

    `batch_size`: photos that a thread takes at once, at most (default: 8, or 64 on a GPU).
    `threads`: those of one pass through a network (default: `cpu_threads`).
    """
    device = resolve_device(settings.device)
    networks = [network] if next_network is None else [network, next_network]
    threads = threads or cpu_threads()
    on_device = decoders = None
    if device == "cuda":
        from app.recognition.batched.faces import torch_faces  # noqa: PLC0415

        on_device = torch_faces(networks, device=device)
        decoders = ThreadPoolExecutor(
            default_threads("cpu", settings.processes),
            thread_name_prefix="decoding",
            initializer=give_way,
            initargs=(NICENESS,),
        )
    return Recognizer(
        BatchRecognizer(
            detector=build_detector(settings, threads),
            embedders=[NetworkEmbedder(one) for one in networks],
            memory=MemoryBudget(settings.limits.decode_memory_bytes),
            max_pixels=settings.limits.max_pixels,
            liveness=liveness,
            on_device=on_device,
            decoders=decoders,
        ),
        scheduling=SchedulerOptions(
            threads=thread_count(settings, device),
            batch_size=batch_size or (_CPU_BATCH if device == "cpu" else _GPU_BATCH),
            max_waiting=settings.limits.max_waiting,
        ),
        max_image_bytes=settings.limits.max_image_bytes,
        prepare=partial(limit_threads, threads.busy),
        watch=watch,
    )


def build_detector(settings: Settings, threads: CpuThreads | None = None) -> CopyingDetector:
    """Load the detector that the settings name. Raises StartupError.

    `threads`: those of one pass through its networks (default: `cpu_threads`).
    """
    name = settings.detector.name
    entry = DETECTORS.get(name)
    if entry is None:
        raise SettingUnusable(
            f"there is no detector {name!r}; there are {', '.join(DETECTORS)}",
            setting="VULTUS_DETECTOR__NAME",
        )
    device = detector_device(resolve_device(settings.device))
    min_score = settings.detector.min_score
    options = DetectorOptions(
        device=device,
        onnx_runtime=backend_of(settings, device) == "onnxruntime",
        threads=threads or cpu_threads(),
        weights_dir=settings.resolved_weights_dir,
    )
    try:
        networks = load_mtcnn_networks(options)
        find = entry.load(options, networks)
    except WeightsError as error:
        raise startup_error(error, "VULTUS_") from error
    return CopyingDetector(
        find,
        networks,
        min_score=entry.card.min_score if min_score is None else min_score,
        max_side_px=settings.detector.max_side_px,
        min_face_size_px=settings.detector.min_face_size_px,
    )


def embedder_backend(settings: Settings, device: str) -> BackendChoice:
    """The runtime of the embedders that have a form for it; `auto` is the fastest for each.

    Raises StartupError when the settings name one that is not available.
    """
    wanted = settings.backend
    if wanted == "auto":
        return wanted
    if wanted != "torch" and device != "cpu":
        raise StartupError(
            f"VULTUS_BACKEND={wanted} is for VULTUS_DEVICE=cpu; on {device}, use torch or auto"
        )
    missing = missing_packages(wanted)
    if missing:
        raise PackagesMissing(
            f"VULTUS_BACKEND={wanted} needs {' and '.join(missing)}", extra=EXTRAS[wanted]
        )
    return wanted


def backend_of(settings: Settings, device: str) -> Literal["torch", "onnxruntime"]:
    """The runtime of the detector: ONNX Runtime on the CPU, if it is installed, else PyTorch.

    Raises StartupError when the settings name a runtime that is not available.
    """
    if embedder_backend(settings, device) == "torch" or device != "cpu":
        return "torch"
    missing = missing_packages("onnxruntime")
    if not missing:
        return "onnxruntime"
    _log.warning(
        "slower_networks",
        missing=missing,
        remedy="pip install 'vultus[onnx]', or set VULTUS_BACKEND=torch to accept it",
    )
    return "torch"


def known_networks(weights_dir: Path) -> tuple[NetworkSpec, ...]:
    """Every network of the zoo, then those registered in `weights_dir`, then those fetched there.

    Raises StartupError for a damaged card.
    """
    try:
        added = [card.spec() for card in list_registered(weights_dir)]
        fetched = [spec for entry in list_fetched(weights_dir) if (spec := spec_of(entry))]
    except WeightsError as error:
        raise StartupError(str(error)) from error
    return (*(one.spec for one in ZOO.values()), *added, *fetched)


def cpu_threads() -> CpuThreads:
    """Threads inside a pass through a network: one while the machine is busy, more while idle."""
    cores = own_cores()
    # With a quota, idle cores of the machine may not be usable.
    return CpuThreads(1, min(cores, _MOST_IDLE_THREADS) if cores == os.cpu_count() else 1)


def thread_count(settings: Settings, device: str) -> int:
    """Number of threads that recognise photos."""
    return settings.threads or default_threads(device, settings.processes)


def default_threads(device: str, processes: int = 1) -> int:
    """One thread for each core that these processes may use (by a container's quota); two on a
    GPU."""
    if device != "cpu":
        return _GPU_THREADS
    return max(1, own_cores() // processes)
