"""All that a GPU is measured and tested for, in under ten minutes: tests, batches, and HTTP.

    python -m benchmarks gpu [--faces FOLDER] [--quick]

First the tests that need a GPU, which end the benchmark if one fails. Then photos of 250 x 250
through one process's recognizer, in batches of 1 to 64, while several batches wait: photos a
second, CPU seconds a photo, and the most memory of the GPU. Then `vultus serve` with one process,
and identify on 1, 32 and 128 keep-alive connections, among the people of 100 enrolled photos;
the client runs on the same cores. Recognition is in half precision, by the default embedder and
detector. Without CUDA (`--smoke`) the CPU takes its place, and the figures mean nothing.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.select import largest_face
from app.settings import Settings
from benchmarks.kit.load import IDENTIFY, closed_loop, percentiles_ms, request, upload
from benchmarks.kit.load_photos import portraits
from benchmarks.kit.options import benchmark_parser, optional_faces, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import serving
from benchmarks.kit.wire import FORM, IDENTITIES, form

_ROOT = Path(__file__).parents[2]
_TESTS = ("tests/recognition/test_gpu.py", "tests/models/training/test_gpu.py")
_PHOTOS = 256
_PEOPLE = 100
_BATCHES = (1, 8, 32, 64)
_CONNECTIONS = (1, 32, 128)
_SECONDS = 15.0
_PENDING_BATCHES = 3
"""One on the device, one that is prepared, and one that waits."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured; `seconds` are those of each figure."""

    photos: int
    people: int
    batches: Sequence[int]
    connections: Sequence[int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """Figures of one size of batch."""

    photos_a_second: float
    cpu_ms: float
    """CPU time of the process for a photo."""
    device_mb: float
    """The most memory of the device."""

    @property
    def line(self) -> str:
        cost = f"{self.cpu_ms:.2f} ms of CPU a photo, {self.device_mb:,.0f} MB on the device"
        return f"{self.photos_a_second:,.0f} photos/s, {cost}"


@dataclass(frozen=True, slots=True)
class Http:
    """Figures of one number of connections."""

    photos_a_second: float
    p50_ms: float
    p99_ms: float
    client_share: float
    """Share of one core that the client took."""

    @property
    def line(self) -> str:
        times = f"{self.p50_ms:.1f} ms (p50), {self.p99_ms:.1f} ms (p99)"
        return f"{self.photos_a_second:,.0f} photos/s, {times}, client {self.client_share:.0%}"


def main() -> None:
    parser = benchmark_parser(__doc__, quick="short rounds, without the tests of training")
    parser.add_argument("--faces", type=Path, help="folder with images/ (else packages' photos)")
    options = parse_options(parser)
    data = optional_faces(parser, options)
    if not torch.cuda.is_available() and not options.smoke:
        parser.error("PyTorch sees no CUDA device here")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print_machine()
    scale = Scale(_PHOTOS, _PEOPLE, _BATCHES, _CONNECTIONS, _SECONDS / (3 if options.quick else 1))
    if options.smoke:
        scale = Scale(4, 2, (2,), (2,), 0.1)
    else:
        console.print(torch.cuda.get_device_name(), highlight=False)
        _test(_TESTS[:1] if options.quick else _TESTS)
    photos = portraits(data, max(scale.photos, scale.people))
    recognition = {
        size: asyncio.run(_recognized(device, photos, size, scale.seconds))
        for size in scale.batches
    }
    print_table(
        "one process's recognizer, by batch size",
        [(str(size), one.line) for size, one in recognition.items()],
    )
    http = _served(device, photos, scale)
    print_table(
        "identify through HTTP, one process, by connections",
        [(str(connections), one.line) for connections, one in http.items()],
    )
    print_figures(
        "gpu",
        {
            "recognition": {size: asdict(one) for size, one in recognition.items()},
            "http": {connections: asdict(one) for connections, one in http.items()},
        },
    )


def _test(paths: Sequence[str]) -> None:
    """Run the tests that need a GPU. Raises SystemExit where one fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
        cwd=_ROOT,
        check=False,
    )
    if done.returncode:
        sys.exit("a test that needs a GPU failed")


async def _recognized(
    device: str, photos: Sequence[bytes], size: int, seconds: float
) -> Recognition:
    pending = _PENDING_BATCHES * size
    settings = Settings(_env_file=None, device=device)
    limits = settings.limits.model_copy(update={"max_waiting": pending})
    settings = settings.model_copy(update={"limits": limits})
    recognizer = build_recognizer(settings, load_configured_network(settings), batch_size=size)
    done = 0

    async def client(number: int, until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await recognizer.embed(photos[(number + done) % len(photos)], largest_face)
            done += 1

    try:
        for share in (0.2, 1.0):  # a first round, for what is made lazily
            if device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            done, begun, cpu = 0, time.perf_counter(), time.process_time()
            until = begun + share * seconds
            await asyncio.gather(*(client(number, until) for number in range(pending)))
            elapsed, cpu = time.perf_counter() - begun, time.process_time() - cpu
    finally:
        recognizer.stop()
    used = torch.cuda.max_memory_reserved() / 1e6 if device == "cuda" else 0.0
    return Recognition(done / elapsed, cpu / done * 1e3, used)


def _served(device: str, photos: Sequence[bytes], scale: Scale) -> dict[int, Http]:
    requests = [upload(IDENTIFY, "image", photo, top_k="1") for photo in photos[: scale.photos]]
    enrolments = [
        request("POST", IDENTITIES, form("photos", photo, {"name": f"person {number}"}), FORM)
        for number, photo in enumerate(photos[: scale.people])
    ]
    variables = {"VULTUS_DEVICE": device, "VULTUS_LIMITS__MAX_WAITING": "1000"}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        with serving(Path(folder) / "data", **variables) as server:
            closed_loop(server.port, enrolments, connections=4)  # some may resemble each other
            for connections in scale.connections:
                for seconds in (scale.seconds / 5, scale.seconds):
                    load = closed_loop(
                        server.port, requests, connections=connections, seconds=seconds
                    )
                load.require_good()
                p50, p99 = percentiles_ms(load.good, 50, 99)
                client = load.client_cpu_s / load.seconds
                found[connections] = Http(load.throughput, p50, p99, client)
    return found


if __name__ == "__main__":
    main()
