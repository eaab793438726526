"""What grows with the photos of a batch on a GPU: counts of calls, operators and copies.

    python -m benchmarks batch_counts [--faces FOLDER] [--quick]

The path of a GPU (`app/recognition/batched`) runs on the CPU here, in float32, as counts are the
same. For batches of 1, 8, 32 and 64 photos of 250 x 250, of one thread: operators of PyTorch
(without views), copies that a GPU would need in each direction, and calls of functions by Python.
Photos of one kind are copies of one upright photo; mixed ones are different photos, of which some
have a doubtful direction or no face, so that the batch takes every step. Photos are decoded by
other threads, which are not counted; the structure of their files is read by the counted one.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from app.recognition.batch import BatchRecognizer, Job
from app.recognition.batched.faces import torch_faces
from app.recognition.batched.load import load_yunet_finder
from app.recognition.build import load_configured_network
from app.recognition.detect.copying_detector import CopyingDetector
from app.recognition.detect.detector_registry import DetectorOptions, load_mtcnn_networks
from app.recognition.embedder import NetworkEmbedder
from app.recognition.memory_budget import MemoryBudget
from app.recognition.select import largest_face
from app.settings import DetectorSettings, Settings
from benchmarks.kit.load_photos import portraits
from benchmarks.kit.options import benchmark_parser, optional_faces, parse_options
from benchmarks.kit.report import print_figures, print_machine, print_table
from models.zoo.detectors.detector_cards import YUNET
from models.zoo.detectors.yunet_weights import load_yunet
from models.zoo.serving.cpu_threads import CpuThreads
from tests.kit.operations import Counts, counted

_SIZES = (1, 8, 32, 64)
_MAX_PIXELS = 1_000_000
_MEMORY_BYTES = 10**9


def main() -> None:
    parser = benchmark_parser(__doc__, quick="batches of 1 and 8 alone")
    parser.add_argument("--faces", type=Path, help="folder with images/ (else packages' photos)")
    options = parse_options(parser)
    data = optional_faces(parser, options)
    print_machine()
    sizes: Sequence[int] = _SIZES[:2] if options.quick else _SIZES
    if options.smoke:
        sizes = (1, 2)
    files = portraits(data, max(sizes))
    with ThreadPoolExecutor() as decoders:
        recognize = _recognizer(decoders)
        found = {
            "one kind": {size: _counts(recognize, [files[0]] * size) for size in sizes},
            "mixed": {size: _counts(recognize, files[:size]) for size in sizes},
        }
    for kind, by_size in found.items():
        print_table(
            f"{kind}: of a batch, by its photos",
            [(str(size), _line(one)) for size, one in by_size.items()],
        )
    print_figures(
        "batch_counts",
        {
            kind: {size: asdict(one) for size, one in by_size.items()}
            for kind, by_size in found.items()
        },
    )


def _recognizer(decoders: Executor) -> BatchRecognizer:
    """The default embedder and detector of a GPU, on the CPU."""
    threads = CpuThreads()
    network = load_configured_network(
        Settings(_env_file=None, device="cpu", backend="torch", embedder="sface"), threads
    )
    options = DetectorOptions("cpu", onnx_runtime=True, threads=threads, weights_dir=Path())
    chosen = DetectorSettings()
    return BatchRecognizer(
        detector=CopyingDetector(
            load_yunet_finder(load_yunet(), device="cpu"),
            load_mtcnn_networks(options),
            min_score=YUNET.min_score,
            max_side_px=chosen.max_side_px,
            min_face_size_px=chosen.min_face_size_px,
        ),
        embedders=[NetworkEmbedder(network)],
        memory=MemoryBudget(_MEMORY_BYTES),
        max_pixels=_MAX_PIXELS,
        on_device=torch_faces([network], device="cpu"),
        decoders=decoders,
    )


def _line(counts: Counts) -> str:
    copies = f"{counts.to_device} copies to the device and {counts.to_host} back"
    return f"{counts.operators} operators, {copies}, {counts.calls} calls"


def _counts(recognize: BatchRecognizer, files: Sequence[bytes]) -> Counts:
    jobs = [Job(file, largest_face, embed=True) for file in files]
    return counted(lambda: recognize(jobs))


if __name__ == "__main__":
    main()
