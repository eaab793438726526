"""Make a recognizer from the settings."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.errors import StartupError
from app.recognition.detector import MtcnnDetector
from app.recognition.device import detector_device, limit_threads, resolve_device
from app.recognition.embedder import NetworkEmbedder
from app.recognition.pipeline import Recognizer
from app.recognition.scheduler import WorkerPool
from app.settings import Settings
from models.zoo.errors import WeightsError
from models.zoo.network import Network
from models.zoo.onnx_network import OnnxOptions
from models.zoo.registry import ZOO, LoadOptions, ZooEntry, load_network

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_GPU_WORKERS = 2  # one decodes and crops while the other has the device


def load_configured_network(settings: Settings) -> Network:
    """Load the embedding network that the settings name. Raises StartupError with the remedy."""
    device = resolve_device(settings.device)
    limit_threads(settings.workers.torch_threads)
    options = LoadOptions(
        device=device,
        half=settings.half_precision,
        weights_dir=settings.resolved_weights_dir,
        weights_path=settings.weights_path,
        threads=settings.workers.torch_threads,
        onnx=OnnxOptions(
            size_px=settings.onnx.size_px,
            mean=settings.onnx.mean,
            std=settings.onnx.std,
            channels=settings.onnx.channels,
            mirror_average=settings.onnx.mirror_average,
        ),
    )
    try:
        return load_network(settings.embedder, options)
    except WeightsError as error:
        raise StartupError(str(error)) from error


def build_recognizer(settings: Settings, network: Network) -> Recognizer:
    """Assemble the detector, the embedder and their workers."""
    device = resolve_device(settings.device)
    workers = WorkerPool(
        workers=settings.workers.count or default_workers(device, settings.processes),
        max_waiting=settings.workers.max_waiting,
        prepare=partial(limit_threads, settings.workers.torch_threads),
    )
    detector = MtcnnDetector(
        device=detector_device(device),
        max_side_px=settings.detector.max_side_px,
        min_face_size_px=settings.detector.min_face_size_px,
        min_score=settings.detector.min_score,
    )
    return Recognizer(
        detector=detector,
        embedder=NetworkEmbedder(network),
        workers=workers,
        max_image_bytes=settings.limits.max_image_bytes,
        max_pixels=settings.limits.max_pixels,
    )


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A network of the zoo; `dimension` is None when only the user's file tells it."""

    name: str
    description: str
    license: str
    dimension: int | None
    active: bool
    similarity_at_fmr: tuple[tuple[float, float], ...]
    measured_on: str | None


def known_models(*, active: str) -> tuple[KnownModel, ...]:
    """Every network of the zoo; `active` is the name of the one that runs."""
    return tuple(_known(entry, active=entry.name == active) for entry in ZOO.values())


def _known(entry: ZooEntry, *, active: bool) -> KnownModel:
    measured = entry.spec.calibration if entry.spec else None
    return KnownModel(
        name=entry.name,
        description=entry.description,
        license=entry.license,
        dimension=entry.spec.dimension if entry.spec else None,
        active=active,
        similarity_at_fmr=tuple(measured.thresholds().items()) if measured else (),
        measured_on=measured.source if measured else None,
    )


def default_workers(device: str, processes: int = 1) -> int:
    """One a core that these processes may use, as a container's quota says; two on a GPU."""
    if device != "cpu":
        return _GPU_WORKERS
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _cgroup_cores()) // processes)


def _cgroup_cores() -> int:
    """Cores of this container's CPU quota (cgroup v2), or more than any machine has."""
    try:
        quota, period = _CGROUP_QUOTA.read_text(encoding="ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no cgroup v2 here, or "max": no quota
        return 1_000_000
