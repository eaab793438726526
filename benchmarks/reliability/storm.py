"""A storm of large images, more than a server takes: how much memory does it use?

    python -m benchmarks storm [--seconds 60] [--connections 48] [--quick]

JPEGs and PNGs of 40 megapixels and close to 20 MB, made on the fly, are sent to /v1/detect of one
`vultus serve` with its default limits, by many connections at once, each as soon as it was answered
or a moment after it was refused: more than the service takes. A client reads while it sends, as
curl does, and stops as soon as it is answered; so a refusal is timed from the first byte sent to
the last one read. The server's resident memory is read from /proc every 20 ms. An error is
anything but 200 and 503, a connection that breaks included.
"""

import argparse
import selectors
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from benchmarks.kit.load import request
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.wire import FORM, form
from tests.kit import photos
from tests.kit.raw_http import TIMEOUT_S, RawConnection

_SIZE_PX = (8_000, 5_000)
_SMOKE_SIZE_PX = (800, 500)
_MAX_BYTES = 20_000_000
_NOISE = 24
_QUALITY = 92
_NOISY_SHARE = 0.75
"""Share of the PNG's rows with noise. With these three, both files are just below _MAX_BYTES."""
_SEED = 0
_PIECE_BYTES = 64_000
_PAUSE_S = 0.2
"""Pause after a refusal; it is shorter than Retry-After asks for."""
_SAMPLE_S = 0.02


@dataclass(slots=True)
class Answers:
    """Answers to the connections; times of answers and of refusals."""

    answered_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


def main() -> None:
    parser = benchmark_parser(__doc__, quick="20 seconds")
    parser.add_argument("--seconds", type=float, default=60.0, help="of storm")
    parser.add_argument("--connections", type=int, default=48)
    options = parse_options(parser)
    if options.smoke:
        options.connections = 4
    print_machine()
    requests = [
        request("POST", "/v1/detect", form("image", image, kind=kind), FORM)
        for kind, image in _images(smoke=options.smoke).items()
    ]
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as server:
        start_mb = _resident_mb(server)
        answers = Answers()
        peak_mb = _storm(server, requests, answers, options.connections, _seconds(options))
    _report(answers, start_mb=start_mb, peak_mb=peak_mb)


def _seconds(options: argparse.Namespace) -> float:
    if options.smoke:
        return 0.1
    return 20.0 if options.quick else float(options.seconds)


def _images(*, smoke: bool) -> dict[str, bytes]:
    """One of each kind, with a face in it, by media type."""
    width, height = _SMOKE_SIZE_PX if smoke else _SIZE_PX
    photo = Image.new("RGB", (width, height), "gray")
    photo.paste(photos.astronaut().resize((height, height)), ((width - height) // 2, 0))
    made = {"image/jpeg": _jpeg(np.asarray(photo)), "image/png": _png(np.asarray(photo))}
    for kind, image in made.items():
        console.print(f"{kind}: {len(image) / 1e6:.1f} MB", highlight=False)
        assert smoke or 0.8 * _MAX_BYTES < len(image) <= _MAX_BYTES
    return made


def _jpeg(photo: NDArray[np.uint8]) -> bytes:
    noise = np.random.default_rng(_SEED).integers(
        -_NOISE, _NOISE + 1, (*photo.shape[:2], 1), dtype=np.int16
    )
    return _encoded(np.clip(photo + noise, 0, 255).astype(np.uint8), "JPEG", quality=_QUALITY)


def _png(photo: NDArray[np.uint8]) -> bytes:
    """An image with transparency, which takes the most memory to decode."""
    coarse = photo[..., 1] & 0b1111_1100
    pixels = np.dstack([coarse, coarse, coarse, np.full_like(coarse, 255)])
    noisy = pixels[: int(_NOISY_SHARE * len(pixels)), :, 1]
    noisy += np.random.default_rng(_SEED).integers(0, 2, noisy.shape, dtype=np.uint8)
    return _encoded(pixels, "PNG", compress_level=1)


def _encoded(pixels: NDArray[np.uint8], form: str, **options: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def _storm(
    server: Server, requests: Sequence[bytes], answers: Answers, connections: int, seconds: float
) -> float:
    """Returns the most memory that was resident, in megabytes."""
    ends = time.monotonic() + seconds
    over = Event()
    samples: list[float] = []

    def sample() -> None:
        while not over.wait(_SAMPLE_S):
            samples.append(_resident_mb(server))

    def client(number: int) -> None:
        turn = number
        while time.monotonic() < ends:
            _ask(server.port, requests[turn % len(requests)], answers)
            turn += 1

    sampler = Thread(target=sample)
    sampler.start()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(client, range(connections)))
    over.set()
    sampler.join()
    return max(samples)


def _ask(port: int, sent: bytes, answers: Answers) -> None:
    started = time.perf_counter()
    try:
        status, headers, body = _exchange(port, sent)
    except OSError as error:
        answers.errors[type(error).__name__] += 1
        return
    took_ms = (time.perf_counter() - started) * 1e3
    if status == 200:
        answers.answered_ms.append(took_ms)
    elif status == 503 and body["code"] == "overloaded" and "retry-after" in headers:
        answers.refused_ms.append(took_ms)
        time.sleep(_PAUSE_S)
    else:
        answers.errors[str(status)] += 1


def _exchange(port: int, sent: bytes) -> tuple[int, dict[str, str], Any]:
    """Send until all is sent or an answer begins; return the answer."""
    with RawConnection("127.0.0.1", port) as connection:
        with selectors.DefaultSelector() as ready:
            ready.register(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
            rest = memoryview(sent)
            while rest:
                happened = ready.select(TIMEOUT_S)
                if not happened or happened[0][1] & selectors.EVENT_READ:
                    break
                rest = rest[connection.socket.send(rest[:_PIECE_BYTES]) :]
        return connection.answer()


def _resident_mb(server: Server) -> float:
    return float(psutil.Process(server.pid).memory_info().rss / 1e6)


def _report(answers: Answers, *, start_mb: float, peak_mb: float) -> None:
    def quantile(times: Sequence[float], share: float) -> float | None:
        return round(float(np.quantile(times, share)), 1) if times else None

    errors = sum(answers.errors.values())
    figures = {
        "rss_start_mb": round(start_mb),
        "peak_rss_mb": round(peak_mb),
        "answered": len(answers.answered_ms),
        "answered_p50_ms": quantile(answers.answered_ms, 0.5),
        "refused": len(answers.refused_ms),
        "refused_p50_ms": quantile(answers.refused_ms, 0.5),
        "refused_p99_ms": quantile(answers.refused_ms, 0.99),
        "errors": errors,
    }
    print_table(
        "Storm of large images",
        [
            ("resident memory before, and at most", f"{start_mb:.0f} and {peak_mb:.0f} MB"),
            ("answered, p50", f"{figures['answered']}, {figures['answered_p50_ms']} ms"),
            ("refused", str(figures["refused"])),
            ("of these p50", f"{figures['refused_p50_ms']} ms"),
            ("of these p99", f"{figures['refused_p99_ms']} ms"),
            ("errors", f"{errors} {dict(answers.errors) if errors else ''}".strip()),
        ],
    )
    print_figures("storm", figures)
