"""Cost of everything around recognition: HTTP, validation, SQL, thresholds, search, answer.

    python -m benchmarks overhead [--rounds 400] [--people 1000] [--quick]

One `vultus serve` on SQLite with 1,000 people, of whom all but one are synthetic, is asked who is
on a photo; a second process with the same settings only runs the pipeline, `Recognizer.embed`, on
the same bytes. They take turns, one request at a time, so that a busy machine slows both. The photo
shows one face, in three sizes: as LFW's are cut, as the web shows them, and as a camera takes them.
In the same turns, with the smallest: as base64 in JSON, a connection of its own for each request,
and searches by an embedding, which are all overhead.

CPU time is that of the processes, all threads of them, over all their requests of a kind. The
client's own is not in it, but is in the latencies: about 0.3 ms a request.

Then a second server, whose parts are wrapped in clocks, says which of them the CPU time goes to:
the networks' runtimes with their threads, and around them each group of threads and what it calls.
The clocks take about 0.1 ms a request, which are in its figures.
"""

import asyncio
import json
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import psutil

from app.recognition.build import build_recognizer, load_configured_network
from app.recognition.select import largest_faces
from app.settings import Settings
from benchmarks.kit.load import IDENTIFY
from benchmarks.kit.load_photos import large
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving, until_killed
from benchmarks.kit.vectors import Vectors, lines, noisy, unit_vectors
from benchmarks.kit.wire import FORM, IDENTITIES, JSON, SEARCH, AnswerError, Wire, form, search_body
from benchmarks.speed.overhead_parts import MeasuredServer, PartsOfRequests, measure_by_part
from tests.kit import photos

_WARM_UP = 20
_SMALLEST = "250 x 250"
_SEED = 0
_COSINE = 0.98
"""Cosine of probes to the embeddings enrolled: they match."""


@dataclass(slots=True)
class Measured:
    """A kind of request: milliseconds of each, and the CPU seconds of all."""

    ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    @property
    def p50_ms(self) -> float:
        return float(np.percentile(self.ms, 50))

    @property
    def p90_ms(self) -> float:
        return float(np.percentile(self.ms, 90))

    @property
    def cpu_ms(self) -> float:
        return 1e3 * self.cpu_s / len(self.ms)

    def figures(self, name: str) -> dict[str, float]:
        return {
            f"{name}_p50_ms": round(self.p50_ms, 2),
            f"{name}_p90_ms": round(self.p90_ms, 2),
            f"{name}_cpu_ms": round(self.cpu_ms, 2),
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """An identify over HTTP, and the pipeline alone, on the same photo."""

    http: Measured
    bare: Measured

    @property
    def ratio(self) -> float:
        return self.http.p50_ms / self.bare.p50_ms

    @property
    def apart_ms(self) -> float:
        """Median difference of neighbours in time, so that a slower minute does not count."""
        return float(np.median(np.subtract(self.http.ms, self.bare.ms)))

    def rows(self, size: str) -> list[tuple[str, str]]:
        http, bare = self.http, self.bare
        return [
            (
                f"{size}: identify over HTTP, p50 and p90",
                f"{http.p50_ms:.2f}, {http.p90_ms:.2f} ms",
            ),
            ("   the pipeline alone, p50 and p90", f"{bare.p50_ms:.2f}, {bare.p90_ms:.2f} ms"),
            ("   ratio; difference, median of pairs", f"{self.ratio:.3f}; {self.apart_ms:.2f} ms"),
            ("   CPU of the two", f"{http.cpu_ms:.2f}, {bare.cpu_ms:.2f} ms"),
        ]

    def figures(self) -> dict[str, float]:
        return {
            **self.http.figures("http"),
            **self.bare.figures("bare"),
            "overhead_ratio": round(self.ratio, 3),
            "overhead_ms": round(self.apart_ms, 2),
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request: `ask` sends one and returns milliseconds; `process` works on it."""

    name: str
    ask: Callable[[], float]
    process: psutil.Process


def main() -> None:
    parser = benchmark_parser(__doc__, quick="100 rounds")
    parser.add_argument("--rounds", type=int, default=400, help="requests of each kind")
    parser.add_argument("--people", type=int, default=1_000)
    options = parse_options(parser)
    rounds = 100 if options.quick else options.rounds
    if options.smoke:
        rounds, options.people = 3, 20
    print_machine()
    sizes = _sizes()
    if options.smoke:
        sizes = {_SMALLEST: sizes[_SMALLEST]}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "data") as server,
        _bare_pipeline(sizes) as bare,
    ):
        vectors = _enroll(server, sizes[_SMALLEST], options.people)
        with Wire(server.port) as wire:
            kinds = _kinds(server, wire, sizes, vectors, bare)
            measured = _in_turns(kinds, rounds)
    _report(measured, _by_part(sizes, options.people, rounds), list(sizes), options.people, rounds)


def _sizes() -> dict[str, bytes]:
    """The same person by the size of the photo."""
    whole = photos.encoded(photos.astronaut())
    return {
        _SMALLEST: photos.encoded(photos.astronaut().crop((100, 0, 350, 250))),
        "512 x 512": whole,
        "4000 x 3000": large(whole),
    }


def _enroll(server: Server, photo: bytes, people: int) -> Vectors:
    """Enroll `people`, one of them by the photo; return the synthetic embeddings."""
    vectors = unit_vectors(people - 1, np.random.default_rng(_SEED))
    with Wire(server.port) as wire:
        wire.batch(lines(vectors, 0))
        status, answer = wire.ask(
            "POST",
            IDENTITIES,
            form("images", photo, {"name": "Eileen Collins"}),
            FORM,
        )
    if status != 201:
        raise AnswerError(f"{status}: {answer[:500]!r}")
    return vectors


def _kinds(
    server: Server, wire: Wire, sizes: dict[str, bytes], vectors: Vectors, bare: "_Bare"
) -> list[Kind]:
    process, pipeline = psutil.Process(server.pid), psutil.Process(bare.pid)
    forms = {size: form("image", photo) for size, photo in sizes.items()}
    as_json = _json(sizes[_SMALLEST])
    probes = noisy(vectors, _COSINE, np.random.default_rng(_SEED + 1))
    bodies = [search_body(probe) for probe in probes[:500]]
    turn = iter(range(10**9))

    def fresh() -> None:
        with Wire(server.port) as own:
            _ask(own, forms[_SMALLEST], FORM)

    def search() -> float:
        body = bodies[next(turn) % len(bodies)]
        return _timed(lambda: _matched(*wire.ask("POST", SEARCH, body)))

    pairs = [
        kind
        for size, body in forms.items()
        for kind in (
            Kind(f"http {size}", partial(_timed, partial(_ask, wire, body, FORM)), process),
            Kind(f"bare {size}", partial(bare.ask, size), pipeline),
        )
    ]
    return [
        *pairs,
        Kind("json", partial(_timed, partial(_ask, wire, as_json, JSON)), process),
        Kind("new_connection", partial(_timed, fresh), process),
        Kind("search", search, process),
    ]


def _by_part(sizes: dict[str, bytes], people: int, rounds: int) -> dict[str, PartsOfRequests]:
    """The CPU time of requests by the server's parts: of the photo in each size, and a search."""
    with (
        tempfile.TemporaryDirectory() as folder,
        until_killed(MeasuredServer(Path(folder) / "data")) as server,
    ):
        vectors = _enroll(server, sizes[_SMALLEST], people)
        probes = noisy(vectors, _COSINE, np.random.default_rng(_SEED + 1))[:500]
        searches = cycle([search_body(probe) for probe in probes])
        with Wire(server.port) as wire:
            kinds: dict[str, Callable[[], object]] = {
                size: partial(_ask, wire, form("image", photo), FORM)
                for size, photo in sizes.items()
            }
            kinds["search"] = lambda: _matched(*wire.ask("POST", SEARCH, next(searches)))
            return measure_by_part(server, kinds, rounds)


def _in_turns(kinds: list[Kind], rounds: int) -> dict[str, Measured]:
    """Run all kinds in turns, so that other work on the machine affects all alike."""
    for kind in kinds:
        for _ in range(_WARM_UP):
            kind.ask()
    measured = {kind.name: Measured() for kind in kinds}
    for done in range(rounds):
        for kind in kinds:
            before = kind.process.cpu_times()
            measured[kind.name].ms.append(kind.ask())
            after = kind.process.cpu_times()
            measured[kind.name].cpu_s += after.user + after.system - before.user - before.system
        if (done + 1) % 100 == 0:
            console.print(f"{done + 1} rounds", highlight=False)
    return measured


def _timed(request: Callable[[], None]) -> float:
    started = time.perf_counter()
    request()
    return (time.perf_counter() - started) * 1e3


def _ask(wire: Wire, body: bytes, kind: str) -> None:
    _identified(*wire.ask("POST", IDENTIFY, body, kind))


def _identified(status: int, answer: bytes) -> None:
    if status != 200 or answer.count(b'"status":"match"') != 1:
        raise AnswerError(f"{status}: {answer[:500]!r}")


def _matched(status: int, answer: bytes) -> None:
    if status != 200 or b'"status":"match"' not in answer:
        raise AnswerError(f"{status}: {answer[:500]!r}")


def _json(photo: bytes) -> bytes:
    return json.dumps({"image": b64encode(photo).decode("ascii")}).encode("ascii")


# -- the pipeline by itself ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bare:
    """A process that runs the pipeline on a photo of a size, each time that it is asked to."""

    pid: int
    pipe: Connection

    def ask(self, size: str) -> float:
        """Milliseconds of one run, measured there."""
        self.pipe.send(size)
        ms: float = self.pipe.recv()
        return ms


@contextmanager
def _bare_pipeline(sizes: dict[str, bytes]) -> Iterator[_Bare]:
    processes = get_context("forkserver")  # a new process, whose imports may be loaded already
    here, there = processes.Pipe()
    process = processes.Process(target=_run_pipeline, args=(there, sizes), daemon=True)
    process.start()
    there.close()
    try:
        here.recv()  # the pipeline is ready
        assert process.pid is not None
        yield _Bare(process.pid, here)
    finally:
        here.close()
        process.join(timeout=30)
        process.kill()


def _run_pipeline(pipe: Connection, sizes: dict[str, bytes]) -> None:
    settings = Settings(device="cpu")
    recognizer = build_recognizer(settings, load_configured_network(settings))
    select = largest_faces(settings.limits.max_faces)

    async def serve() -> None:
        await recognizer.warm_up()
        pipe.send(0.0)
        while True:
            photo = sizes[pipe.recv()]
            started = time.perf_counter()
            found = await recognizer.embed(photo, select)
            pipe.send((time.perf_counter() - started) * 1e3)
            assert len(found.faces) == 1

    try:
        asyncio.run(serve())
    except EOFError:
        recognizer.stop()


def _report(
    measured: dict[str, Measured],
    parts: dict[str, PartsOfRequests],
    sizes: list[str],
    people: int,
    rounds: int,
) -> None:
    search = measured["search"]
    of_sizes = {
        size: Compared(measured[f"http {size}"], measured[f"bare {size}"]) for size in sizes
    }
    rows = [row for size, compared in of_sizes.items() for row in compared.rows(size)]
    print_table(
        f"Around recognition, {people:,} people, {rounds} requests of each kind in turns",
        [
            *rows,
            (f"{_SMALLEST} as base64 in JSON, p50", f"{measured['json'].p50_ms:.2f} ms"),
            (
                f"{_SMALLEST} on a new connection, p50",
                f"{measured['new_connection'].p50_ms:.2f} ms",
            ),
            (
                "search by an embedding, p50 and p90",
                f"{search.p50_ms:.2f} and {search.p90_ms:.2f} ms",
            ),
            ("CPU of a search", f"{search.cpu_ms:.2f} ms"),
        ],
    )
    print_table(
        "CPU time by part, on a second server with clocks",
        [row for name, one in parts.items() for row in one.rows(name)],
    )
    print_figures(
        "overhead",
        {
            "people": people,
            "rounds": rounds,
            "identify": {size: compared.figures() for size, compared in of_sizes.items()},
            "json_p50_ms": round(measured["json"].p50_ms, 2),
            "new_connection_p50_ms": round(measured["new_connection"].p50_ms, 2),
            **search.figures("search"),
            "by_part": {name: one.figures() for name, one in parts.items()},
        },
    )
