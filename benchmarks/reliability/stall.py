"""Latency beside 50 stalled uploads and 8 callers that ask for calibrations.

    python -m benchmarks stall [--people 4000] [--seconds 60] [--quick]

Three callers, each on a connection of its own, ask one `vultus serve` on SQLite: one identifies
photos, one lists people, one asks /readyz, ten, twenty and twenty times a second at most. They do
so in quiet rounds and in stalled ones, in turns, so that what else happens on the machine meets
both. In a stalled round, 50 uploads have sent a part of their body and no more (each is opened anew
when the server closes it), and 8 callers ask for a calibration of the collection again and again:
one runs, and the others are refused `busy` and ask again after what `Retry-After` says. At the end
the server gets a SIGTERM in the middle of a stalled round, and the time is taken until it has
ended; the answers to the stalled callers are counted.

The callers share the cores with the server: their pauses leave most of them to it.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import cycle
from pathlib import Path
from select import select
from threading import Event, Thread

import numpy as np

from benchmarks.kit.load import IDENTIFY
from benchmarks.kit.load_photos import portraits
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.vectors import lines, unit_vectors
from benchmarks.kit.wire import FORM, IDENTITIES, Wire, form
from tests.kit.raw_http import RawConnection

_CALIBRATION = "/v1/collections/default/calibration"
_UPLOADS = 50
_CALIBRATORS = 8
_PHOTOS = 40
_SETTLES_S = 0.5
_SWITCH_S = 0.0005
_SEED = 0
_BUSY_S = 0.2
_ANNOUNCED = 500_000

Ask = Callable[[Wire], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Scale:
    """Rounds of each kind; seconds of all rounds of a kind, and of the first, which counts not."""

    people: int
    seconds: float
    rounds: int = 4
    first_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks `per_s` times a second at most."""

    name: str
    per_s: float
    ask: Ask


@dataclass(slots=True)
class Measured:
    quiet_ms: dict[str, list[float]] = field(default_factory=dict)
    stalled_ms: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    calibrations: Counter[int] = field(default_factory=Counter)
    """Calibrations by status."""
    stop_s: float = 0.0
    stopped: Counter[str] = field(default_factory=Counter)
    """Answers to the stalled uploads at the stop."""


def main() -> None:
    parser = benchmark_parser(__doc__, quick="10 seconds of each kind of round")
    parser.add_argument("--people", type=int, default=4_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each kind of round")
    options = parse_options(parser)
    scale = Scale(options.people, 10.0 if options.quick else options.seconds)
    if options.smoke:
        scale = Scale(people=100, seconds=0.5, rounds=1, first_s=0.1)
    print_machine()
    sys.setswitchinterval(_SWITCH_S)
    measured = Measured()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as server:
        callers = _callers(portraits(None, _PHOTOS))
        _enroll(server, scale.people)
        _round(server, callers, scale.first_s, {}, measured)  # the first requests take longer
        for number in range(scale.rounds):
            _round(server, callers, scale.seconds / scale.rounds, measured.quiet_ms, measured)
            with _stalled(server, measured):
                _round(server, callers, scale.seconds / scale.rounds, measured.stalled_ms, measured)
            console.print(f"round {number + 1} of {scale.rounds}", highlight=False)
        _stop(server, measured)
    _report(measured, people=scale.people, seconds=scale.seconds)


def _callers(photos: Sequence[bytes]) -> list[Caller]:
    bodies = cycle([form("image", photo) for photo in photos])
    return [
        Caller("identify", 10, lambda wire: wire.ask("POST", IDENTIFY, next(bodies), FORM)),
        Caller("list", 20, lambda wire: wire.ask("GET", f"{IDENTITIES}?limit=20")),
        Caller("readyz", 20, lambda wire: wire.ask("GET", "/readyz")),
    ]


def _enroll(server: Server, people: int) -> None:
    vectors = unit_vectors(people, np.random.default_rng(_SEED))
    with Wire(server.port) as wire:
        wire.batch(lines(vectors, 0))


def _round(
    server: Server,
    callers: Sequence[Caller],
    seconds: float,
    times: dict[str, list[float]],
    measured: Measured,
) -> None:
    """All callers at once; milliseconds of each answer go to `times`."""
    until = time.perf_counter() + seconds
    threads = [
        Thread(target=_call, args=(server, one, until, times.setdefault(one.name, []), measured))
        for one in callers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _call(
    server: Server, caller: Caller, until: float, times: list[float], measured: Measured
) -> None:
    with Wire(server.port, timeout_s=120) as wire:
        while (began := time.perf_counter()) < until:
            status, _ = caller.ask(wire)
            took = time.perf_counter() - began
            times.append(took * 1e3)
            if status != 200:
                measured.failures[f"{caller.name} {status}"] += 1
            time.sleep(max(0.0, 1 / caller.per_s - took))


@contextmanager
def _stalled(server: Server, measured: Measured) -> Iterator[list["_Upload"]]:
    """50 uploads and 8 callers for calibrations, until the block ends."""
    ended = Event()
    uploads = [_Upload(server.port) for _ in range(_UPLOADS)]
    threads = [
        Thread(target=_keep_stalled, args=(uploads, ended)),
        *(Thread(target=_calibrate, args=(server, ended, measured)) for _ in range(_CALIBRATORS)),
    ]
    for thread in threads:
        thread.start()
    time.sleep(_SETTLES_S)
    try:
        yield uploads
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for upload in uploads:
            upload.close()


class _Upload:
    """A request whose body stops in the middle."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = self._open()

    def reopen_if_closed(self) -> None:
        """Send the part anew if the server has answered or closed the connection."""
        if select([self._connection.socket], [], [], 0)[0]:
            self.close()
            self._connection = self._open()

    def answer(self) -> str:
        """Status and code of the answer; the error, if there is none."""
        try:
            status, _, body = self._connection.answer()
        except OSError as error:
            return type(error).__name__
        return f"{status} {body['code']}"

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> RawConnection:
        opened = RawConnection("127.0.0.1", self._port)
        opened.socket.sendall(
            f"POST {IDENTIFY} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f'content-length: {_ANNOUNCED}\r\n\r\n{{"image": "'.encode("ascii")
        )
        return opened


def _keep_stalled(uploads: Sequence[_Upload], ended: Event) -> None:
    while not ended.wait(_BUSY_S):
        for upload in uploads:
            upload.reopen_if_closed()


def _calibrate(server: Server, ended: Event, measured: Measured) -> None:
    with Wire(server.port, timeout_s=120) as wire:
        while not ended.is_set():
            try:
                status, _ = wire.ask("POST", _CALIBRATION)
            except (OSError, HTTPException):  # the server has ended
                break
            measured.calibrations[status] += 1
            if status != 200:
                ended.wait(5.0)


def _stop(server: Server, measured: Measured) -> None:
    """SIGTERM while all of that goes on."""
    ended = Event()
    uploads = [_Upload(server.port) for _ in range(_UPLOADS)]
    threads = [
        Thread(target=_calibrate, args=(server, ended, measured)) for _ in range(_CALIBRATORS)
    ]
    for thread in threads:
        thread.start()
    time.sleep(_SETTLES_S)
    began = time.perf_counter()
    server.stop()
    measured.stop_s = time.perf_counter() - began
    ended.set()
    for upload in uploads:
        measured.stopped[upload.answer()] += 1
        upload.close()
    for thread in threads:
        thread.join()


def _report(measured: Measured, *, people: int, seconds: float) -> None:
    rows, figures = [], dict[str, object]()
    for name, quiet in measured.quiet_ms.items():
        stalled = measured.stalled_ms[name]
        (q50, q99), (s50, s99) = (np.percentile(times, (50, 99)) for times in (quiet, stalled))
        ratio = s99 / q99
        rows.append((f"{name}, quiet: p50, p99", f"{q50:.1f}, {q99:.1f} ms ({len(quiet)})"))
        rows.append(
            (
                f"{name}, stalled: p50, p99, most",
                f"{s50:.1f}, {s99:.1f}, {max(stalled):.1f} ms ({len(stalled)})",
            )
        )
        rows.append((f"{name}, p99 stalled : quiet", f"{ratio:.2f}"))
        figures |= {
            f"{name}_quiet_p99_ms": round(float(q99), 1),
            f"{name}_stalled_p99_ms": round(float(s99), 1),
            f"{name}_p99_ratio": round(float(ratio), 2),
        }
    others = [
        np.percentile(np.concatenate([times[name] for name in times]), 99)
        for times in (measured.quiet_ms, measured.stalled_ms)
    ]
    most_ready = max(*measured.stalled_ms["readyz"], *measured.quiet_ms["readyz"])
    answers = dict(sorted(measured.calibrations.items()))
    rows += [
        ("all others, p99 stalled : quiet", f"{others[1] / others[0]:.2f}"),
        ("/readyz, longest", f"{most_ready:.1f} ms"),
        ("answers other than 200 to others", str(dict(measured.failures) or "none")),
        ("calibrations, by status", str(answers)),
        ("SIGTERM until ended", f"{measured.stop_s:.2f} s"),
        ("stalled uploads then", str(dict(measured.stopped))),
    ]
    figures |= {
        "people": people,
        "all_p99_ratio": round(float(others[1] / others[0]), 2),
        "readyz_most_ms": round(most_ready, 1),
        "failures": dict(measured.failures),
        "calibrations": {str(status): count for status, count in answers.items()},
        "stop_s": round(measured.stop_s, 2),
        "stopped": dict(measured.stopped),
    }
    title = f"{_UPLOADS} stalled uploads and {_CALIBRATORS} callers for calibrations"
    print_table(f"{title}, {people:,} people, {seconds:g} s of each", rows)
    print_figures("stall", figures)
