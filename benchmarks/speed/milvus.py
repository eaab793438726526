"""Search in a Milvus server beside the index in memory: time, decisions, ghosts, memory, rebuild.

    python -m benchmarks milvus [--sizes 20000 200000 1000000] [--uri http://host:19530] [--quick]

Synthetic people (see index_data.py) are written into a SQLite database, from which Milvus is filled
as `vultus index rebuild` does. Each kind of index then answers in a process of its own, by the
gallery, without HTTP and networks: searches while nothing is written; then beside 50 writes a
second of the same process (enrolments and deletions in turns); then searches for people at once
after they were deleted. A decision is the person whose face is nearest, at the threshold or above,
or no person; it is compared with that of an index in memory that compares every face. Without
--uri, a Milvus standalone of the package `milvus` is started.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic, perf_counter
from uuid import uuid4

import numpy as np
import psutil

from app.constants import CONSTANTS
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.gallery import Gallery
from app.gallery.records import EVERYBODY, NewFace, NewIdentity
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.database import Database
from app.recognition.types import ModelId
from app.services.index_building import build_sync, rebuild_in_milvus
from app.settings import IndexSettings, Settings
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.own_process import in_own_process
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.speed.index_data import THRESHOLD, Vectors, probes
from benchmarks.speed.index_peers import rss_bytes
from benchmarks.speed.index_start import fill
from tests.kit.milvus_server import WITHOUT_MILVUS, milvus_server

_DIMENSION = 128
_MODEL = ModelId("synthetic", "0" * 64, _DIMENSION)
_WRITES_A_S = 50
_WARM_UP = 20
_SEED = 11

Decisions = list[str | None]
"""The ids of the people who matched; None where no person did."""


@dataclass(frozen=True, slots=True)
class Case:
    """What each process measures; `uri` None: the index in memory."""

    folder: Path
    count: int
    probes: int
    deletions: int
    written_s: float
    uri: str | None = None


def main() -> None:
    options = _parse()
    print_machine()
    figures: dict[str, object] = {}
    with _server(options.uri) as (uri, pid):
        for count in options.sizes:
            with TemporaryDirectory(prefix="vultus-milvus-") as folder:
                case = Case(Path(folder), count, options.probes, options.deletions, options.written)
                measured = _compare(case, uri, pid)
            figures[str(count)] = measured
            rows = [(name, f"{value:,.4g}") for name, value in measured.items()]
            print_table(f"{count:,} faces, d = {_DIMENSION}", rows)
    print_figures("milvus", figures)


def _parse() -> argparse.Namespace:
    parser = benchmark_parser(__doc__, quick="20,000 faces alone")
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000, 200_000, 1_000_000])
    parser.add_argument("--probes", type=int, default=400)
    parser.add_argument("--deletions", type=int, default=60)
    parser.add_argument("--written", type=float, default=10.0, help="seconds beside writes")
    parser.add_argument("--uri", help="a Milvus that runs (default: start one)")
    options = parse_options(parser)
    if options.quick:
        options.sizes = [20_000]
    if options.smoke:
        options.sizes, options.probes, options.deletions = [300], 6, 2
        options.written = 0.5
    if options.uri is None and WITHOUT_MILVUS is not None:
        parser.error(f"--uri is needed: {WITHOUT_MILVUS}")
    return options


@contextmanager
def _server(uri: str | None) -> Iterator[tuple[str, int | None]]:
    """The address of a Milvus, and its process where it was started here."""
    console.print(f"pymilvus {version('pymilvus')}", highlight=False)
    if uri is not None:
        yield uri, None
        return
    console.print(f"Milvus standalone {version('milvus')}", highlight=False)
    with TemporaryDirectory(prefix="vultus-milvus-") as folder, milvus_server(Path(folder)) as one:
        yield one.uri, one.pid


def _compare(case: Case, uri: str, pid: int | None) -> dict[str, float]:
    fill(case.folder, case.count, _DIMENSION)
    figures, expected = in_own_process(_measure, case, exact=True)
    figures = {f"flat_{name}": value for name, value in figures.items()}
    on_milvus = replace(case, uri=uri)
    figures |= in_own_process(_rebuild, on_milvus, anew=False)
    figures |= in_own_process(_rebuild, on_milvus, anew=True)
    for name, one in (("milvus", on_milvus), ("memory", case)):
        measured, decisions = in_own_process(_measure, one)
        figures |= {f"{name}_{key}": value for key, value in measured.items()}
        agreed = [a == b for a, b in zip(decisions, expected, strict=True)]
        figures[f"{name}_decisions_as_flat"] = float(np.mean(agreed))
    if pid is not None:
        figures["milvus_server_mb"] = psutil.Process(pid).memory_info().rss / 1e6
    return figures


def _rebuild(case: Case, *, anew: bool) -> dict[str, float]:
    database = _database(case)
    started = perf_counter()
    sent = rebuild_in_milvus(
        _settings(case), database, [DEFAULT_COLLECTION], anew=anew, report=lambda *_: None
    )
    seconds = perf_counter() - started
    database.close()
    if sent != {DEFAULT_COLLECTION: case.count}:
        raise RuntimeError(f"{sent} of {case.count} faces were sent")
    return {"rebuild_faces_per_s" if anew else "fill_faces_per_s": case.count / seconds}


def _measure(case: Case, *, exact: bool = False) -> tuple[dict[str, float], Decisions]:
    """Measure an index; `exact`: the one in memory, where it compares every face at any size."""
    before = rss_bytes()
    started = perf_counter()
    database = _database(case)
    constants = replace(CONSTANTS, exact_up_to=sys.maxsize) if exact else CONSTANTS
    sync = build_sync(_settings(case), database, [_MODEL.digest], constants)
    gallery = Gallery(database, sync, _MODEL)
    gallery.open()
    figures = {"start_s": perf_counter() - started}
    asked = probes(case.probes, case.count, _DIMENSION).vectors
    for probe in asked[:_WARM_UP]:
        _nearest(gallery, probe)
    figures["process_mb"] = (rss_bytes() - before) / 1e6
    found, seconds = _searches(gallery, asked)
    figures |= _times("quiet", seconds)
    with _writes(gallery) as written:
        found_beside, seconds = _searches(gallery, asked, at_least_s=case.written_s)
        figures |= _times("written", seconds)
        figures["writes_per_s"] = written()
    figures["changed_by_writes"] = float(
        sum(first != second for first, second in zip(found, found_beside, strict=True))
    )
    figures["ghosts"] = float(_ghosts(gallery, case.deletions))
    gallery.close()
    return figures, found


def _searches(
    gallery: Gallery, asked: Vectors, *, at_least_s: float = 0.0
) -> tuple[Decisions, list[float]]:
    """Search for each probe, and again for all of them as long as that takes less time."""
    found: Decisions = []
    seconds: list[float] = []
    ends = monotonic() + at_least_s
    while not found or monotonic() < ends:
        for probe in asked:
            started = perf_counter()
            found.append(_nearest(gallery, probe))
            seconds.append(perf_counter() - started)
    return found[-len(asked) :], seconds


def _nearest(gallery: Gallery, probe: Vectors) -> str | None:
    """The id of the person who matches."""
    query = PeopleQuery(1, datetime.now(UTC), EVERYBODY, None)
    (candidates,) = gallery.search.find(DEFAULT_COLLECTION, [probe], query).candidates
    if not candidates or candidates[0].similarity < THRESHOLD:
        return None
    return candidates[0].identity.id


def _times(name: str, seconds: list[float]) -> dict[str, float]:
    return {
        f"{name}_p50_ms": 1e3 * float(np.median(seconds)),
        f"{name}_p99_ms": 1e3 * float(np.quantile(seconds, 0.99)),
    }


@contextmanager
def _writes(gallery: Gallery) -> Iterator[Callable[[], float]]:
    """Enroll and delete strangers at a rate; yields what reads the rate so far."""
    ends, count, started = Event(), 0, monotonic()

    def write() -> None:
        nonlocal count
        strangers = _strangers()
        enrolled: list[str] = []
        while not ends.wait(max(0.0, started + count / _WRITES_A_S - monotonic())):
            if count % 2:
                gallery.people.delete(DEFAULT_COLLECTION, enrolled.pop())
            else:
                enrolled.append(_enroll(gallery, next(strangers)))
            count += 1
        for identity in enrolled:
            gallery.people.delete(DEFAULT_COLLECTION, identity)

    writer = Thread(target=write)
    writer.start()
    try:
        yield lambda: count / (monotonic() - started)
    finally:
        ends.set()
        writer.join()


def _ghosts(gallery: Gallery, count: int) -> int:
    """How many of the people who were deleted were found after that was acknowledged."""
    found = 0
    strangers = _strangers()
    for _ in range(count):
        vector = next(strangers)
        identity = _enroll(gallery, vector)
        if _nearest(gallery, vector) != identity:
            raise RuntimeError("a person who was enrolled is not found")
        gallery.people.delete(DEFAULT_COLLECTION, identity)
        found += _nearest(gallery, vector) == identity
    return found


def _strangers() -> Iterator[Vectors]:
    generator = np.random.default_rng(_SEED)
    while True:
        vector = generator.standard_normal(_DIMENSION, dtype=np.float32)
        yield vector / np.linalg.norm(vector)


def _enroll(gallery: Gallery, vector: Vectors) -> str:
    identity, _ = gallery.people.enroll(DEFAULT_COLLECTION, NewIdentity(), [_face(vector)])
    return identity.id


def _face(vector: Vectors) -> NewFace:
    return NewFace(vector, None, None, None, image_sha256=uuid4().hex * 2)


def _database(case: Case) -> Database:
    return Database(f"sqlite:///{case.folder / 'gallery.db'}", timeout_s=60)


def _settings(case: Case) -> Settings:
    return Settings(data_dir=case.folder, index=IndexSettings(milvus_uri=case.uri))
