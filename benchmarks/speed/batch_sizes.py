"""Photos a second in batches of 1 to 256, on the CPU and on CUDA where it is there.

    python -m benchmarks batch_sizes [--faces FOLDER] [--embedder NAME] [--quick]

Crops through the embedding network (a crop once: without its mirror image), photos of 250 x 250
through the detector, and photos through all of recognition, of which several batches wait. On the
CPU the networks are those of ONNX Runtime where it is installed, with one thread, as they are
served, and with one a core; recognition has a thread a core. On CUDA they are PyTorch's, in half
precision and without; recognition in half precision. Of several rounds the shortest counts.

Agreement is with the CPU: the least cosine of embeddings of the same crops, and the share of faces
that are found with an IoU over 0.9.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from app.recognition.align import align
from app.recognition.build import build_detector, build_recognizer, load_configured_network
from app.recognition.decode.photo_file import decode
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.embedder import NetworkEmbedder
from app.recognition.select import largest_face
from app.recognition.types import DetectedFace, Pixels
from app.settings import Settings
from benchmarks.kit.boxes import ious
from benchmarks.kit.load_photos import portraits
from benchmarks.kit.options import benchmark_parser, optional_faces, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from models.zoo.serving.cpu_threads import CpuThreads

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_PHOTOS = 256
_PENDING_BATCHES = 2
_LEAST_PENDING = 64  # more than there are threads
_REFERENCE_BATCH = 32
_LEAST_ROUNDS = 2
_SAME_IOU = 0.9
_MAX_PIXELS = 1_000_000

Rates = dict[int, float]
"""Rates by batch size, in 1/s."""


@dataclass(frozen=True, slots=True)
class Place:
    """A way to compute: its name, its settings, and the threads of a pass through a network."""

    name: str
    settings: Settings
    threads: CpuThreads


@dataclass(slots=True)
class Found:
    embedding: Rates
    detection: Rates
    recognition: Rates
    least_cosine: float
    same_faces: float


def main() -> None:
    parser = benchmark_parser(__doc__, quick="one size in two, short rounds")
    parser.add_argument("--faces", type=Path, help="folder with images/ (else packages' photos)")
    parser.add_argument("--embedder", default="dlib-resnet")
    options = parse_options(parser)
    data = optional_faces(parser, options)
    print_machine()
    if torch.cuda.is_available():
        console.print(torch.cuda.get_device_name(), highlight=False)
    files = portraits(data, 2 if options.smoke else _PHOTOS)
    photos = [decode(file, max_pixels=_MAX_PIXELS) for file in files]
    sizes: Sequence[int] = _SIZES[::2] if options.quick else _SIZES
    seconds = 0.2 if options.quick else 1.0
    if options.smoke:
        sizes, seconds = _SIZES[1:2], 0.0
    reference = _Reference(next(_places(options.embedder)), photos)
    found = {}
    for place in islice(_places(options.embedder), 1 if options.smoke else None):
        found[place.name] = _measure(place, files, photos, reference, sizes, seconds)
        console.print(f"{place.name}: measured", highlight=False)
    _report(found, sizes)


def _places(embedder: str) -> Iterator[Place]:
    cores = os.cpu_count() or 1

    def settings(device: str, *, half: bool = True) -> Settings:
        return Settings(_env_file=None, device=device, embedder=embedder, half_precision=half)

    one = CpuThreads()
    yield Place("cpu, 1 thread", settings("cpu"), one)
    yield Place(f"cpu, {cores} threads", settings("cpu"), CpuThreads(cores, cores))
    if torch.cuda.is_available():
        yield Place("cuda, half precision", settings("cuda"), one)
        yield Place("cuda", settings("cuda", half=False), one)


class _Reference:
    """Crops, and what the CPU makes of them and of the photos."""

    def __init__(self, place: Place, photos: Sequence[Pixels]) -> None:
        network = load_configured_network(place.settings, place.threads)
        self.faces = _faces(build_detector(place.settings, place.threads), photos)
        self.crops = [
            align(photo, faces[0].landmarks, network.spec.input)
            for photo, faces in zip(photos, self.faces, strict=True)
            if faces
        ]
        self.rows = NetworkEmbedder(network).embed(self.crops)


def _measure(
    place: Place,
    files: Sequence[bytes],
    photos: Sequence[Pixels],
    reference: _Reference,
    sizes: Sequence[int],
    seconds: float,
) -> Found:
    network = load_configured_network(place.settings, place.threads)
    detector = build_detector(place.settings, place.threads)
    embedder = NetworkEmbedder(network)
    crops = np.stack([reference.crops[n % len(reference.crops)] for n in range(max(sizes))])
    rows = embedder.embed(reference.crops)
    return Found(
        {size: _rate(size, partial(network.forward, crops[:size]), seconds) for size in sizes},
        {size: _rate(size, partial(detector.detect_all, photos[:size]), seconds) for size in sizes},
        _recognition(place, files, sizes) if place.settings.half_precision else {},
        float((rows * reference.rows).sum(axis=1).min()),
        _same(reference.faces, _faces(detector, photos)),
    )


def _rate(size: int, work: Callable[[], object], seconds: float) -> float:
    work()
    shortest, rounds, begun = float("inf"), 0, time.perf_counter()
    while rounds < _LEAST_ROUNDS or time.perf_counter() - begun < seconds:
        before = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - before)
        rounds += 1
    return size / shortest


def _recognition(place: Place, files: Sequence[bytes], sizes: Sequence[int]) -> Rates:
    """Decoding, detecting, aligning, embedding and looking at quality, as the service does."""
    found = {}
    for size in sizes:
        pending = max(_LEAST_PENDING, _PENDING_BATCHES * size)
        found[size] = asyncio.run(_recognized(place, files, size, pending))
    return found


async def _recognized(place: Place, files: Sequence[bytes], size: int, pending: int) -> float:
    """Photos a second in batches of `size`, while `pending` are asked for at once."""
    limits = place.settings.limits.model_copy(update={"max_waiting": pending})
    recognizer = build_recognizer(
        place.settings.model_copy(update={"limits": limits}),
        load_configured_network(place.settings, place.threads),
        batch_size=size,
        threads=place.threads,
    )

    async def client(number: int) -> None:
        for photo in range(number, photos, pending):
            await recognizer.embed(files[photo % len(files)], largest_face)

    photos = pending
    try:
        await asyncio.gather(*map(client, range(pending)))  # a first run, for what is made lazily
        photos = max(len(files), pending)
        begun = time.perf_counter()
        await asyncio.gather(*map(client, range(pending)))
        return photos / (time.perf_counter() - begun)
    finally:
        recognizer.stop()


def _faces(detector: CopyingDetector, photos: Sequence[Pixels]) -> list[tuple[DetectedFace, ...]]:
    return [
        faces
        for start in range(0, len(photos), _REFERENCE_BATCH)
        for faces in detector.detect_all(photos[start : start + _REFERENCE_BATCH])
    ]


def _same(
    ours: Sequence[Sequence[DetectedFace]], theirs: Sequence[Sequence[DetectedFace]]
) -> float:
    """Share of all faces, of both, for which the other has one in the same place."""
    matched: list[bool] = []
    for here, there in zip(ours, theirs, strict=True):
        same = ious([face.box for face in here], [face.box for face in there]) > _SAME_IOU
        matched += np.concatenate([same.any(axis=1), same.any(axis=0)]).tolist()
    return float(np.mean(matched))


def _report(found: Mapping[str, Found], sizes: Sequence[int]) -> None:
    for what, name in (
        ("crops through the network", "embedding"),
        ("photos through the detector", "detection"),
        ("photos through recognition", "recognition"),
    ):
        rates = {place: getattr(one, name) for place, one in found.items() if getattr(one, name)}
        rows = [
            (str(size), ", ".join(f"{place}: {rate[size]:,.0f}" for place, rate in rates.items()))
            for size in sizes
        ]
        print_table(f"{what}, a second, by batch size", rows)
    print_table(
        "agreement with the first",
        [
            (place, f"least cosine {one.least_cosine:.6f}, same faces {one.same_faces:.4f}")
            for place, one in found.items()
        ],
    )
    print_figures("batch_sizes", {place: asdict(one) for place, one in found.items()})
