"""Speed of one server with many people: enrolment, searches and a restart.

    python -m benchmarks service [--identities 1000000] [--searches 100000] [--removals 0] [--quick]

Synthetic people are enrolled over HTTP into one `vultus serve` on SQLite, in requests of 50,000
lines of JSON, one after the other. When the server has put its index in order and is idle again,
two keep-alive connections search, each as soon as it was answered: half of the probes are noisy
copies of enrolled embeddings, at a cosine half-way between the searches' threshold and 1,
half are of people who are not enrolled. A decision is wrong when a known probe does not match its
own person, or an unknown one matches. With `--removals` people are deleted one by one, and each is
looked for at once. At the end SIGTERM, upon which the server renews its snapshot, and a start,
timed until /readyz says ready.

The client is Python's http.client with bodies that are made beforehand: on few cores it takes time
from the server, so its own CPU time is reported. Vectors come from a seeded generator, block by
block; only the probes' are kept.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.usage import idle_share, resident_mb
from benchmarks.kit.vectors import Vectors, lines, name_of, noisy, unit_vectors
from benchmarks.kit.wire import (
    BATCH,
    IDENTITIES,
    JSON_LINES,
    SEARCH,
    AnswerError,
    Wire,
    search_body,
)

_THRESHOLD = 0.9424  # fixed: no error rate of faces says anything about random directions
_SEED = 0
_REQUEST_LINES = 50_000
_CONNECTIONS = 2
_SWITCH_S = 0.0005
"""Threads of this process take turns this often, so that none notes its moments late."""
_ROUNDS = 10
"""Rounds of searches. The bodies are made before each; the memory is read after each."""
_AFTER_RESTART = 200
_IDLE_S = 5.0
_SETTLED_SHARE = 0.1
"""Share of a core below which no work goes on in the background."""


@dataclass(frozen=True, slots=True)
class Probes:
    """`people` are the numbers of the people of `vectors`, -1 for one who is not enrolled."""

    people: NDArray[np.int64]
    vectors: Vectors

    def some(self, places: slice | NDArray[np.int64]) -> "Probes":
        return Probes(self.people[places], self.vectors[places])


@dataclass(slots=True)
class Measured:
    """Figures of the server; megabytes are of its resident memory."""

    start_s: float = 0.0
    enroll_s: float = 0.0
    settle_s: float = 0.0
    """Seconds of work in the background after enrolling."""
    search_ms: list[float] = field(default_factory=list)
    search_s: float = 0.0
    client_cpu_s: float = 0.0
    """CPU seconds of this process while it searched."""
    wrong: int = 0
    start_mb: float = 0.0
    enrolled_mb: float = 0.0
    searched_mb: list[float] = field(default_factory=list)
    """Memory after each round of searches."""
    removal_ms: list[float] = field(default_factory=list)
    removed_but_found: int = 0
    idle_cpu_share: float = 0.0
    stop_s: float = 0.0
    disk_bytes: int = 0
    restart_s: float = 0.0
    restarted_mb: float = 0.0
    wrong_after_restart: int = 0


def main() -> None:
    parser = benchmark_parser(__doc__, quick="20,000 people, 2,000 searches")
    parser.add_argument("--identities", type=int, default=1_000_000)
    parser.add_argument("--searches", type=int, default=100_000)
    parser.add_argument("--removals", type=int, default=0, help="people deleted one by one")
    options = parse_options(parser)
    people, searches = (20_000, 2_000) if options.quick else (options.identities, options.searches)
    if options.smoke:
        people, searches = 300, 50
    print_machine()
    sys.setswitchinterval(_SWITCH_S)
    measured = Measured()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        probes = _first_life(data_dir, measured, people, searches, options.removals)
        measured.disk_bytes = sum(f.stat().st_size for f in data_dir.rglob("*") if f.is_file())
        _second_life(data_dir, measured, probes)
    _report(measured, people=people, searches=searches)


def _first_life(
    data_dir: Path, measured: Measured, people: int, searches: int, removals: int
) -> Probes:
    """Run the first process up to SIGTERM; return probes to try on the next one."""
    with _started(data_dir) as (server, measured.start_s):
        measured.start_mb = resident_mb(server.pid)
        probes = _enroll(server, measured, people, searches)
        measured.settle_s = _settle(server)
        measured.enrolled_mb = resident_mb(server.pid)
        for part in np.array_split(np.arange(searches), _ROUNDS):
            measured.wrong += _search(server, measured, probes.some(part))
            measured.searched_mb.append(resident_mb(server.pid))
            console.print(f"{part[-1] + 1} searches", highlight=False)
        removed = np.unique(probes.people[probes.people >= 0])[:removals]
        _remove(server, measured, removed, probes)
        measured.idle_cpu_share = idle_share(server.pid, _IDLE_S)
        started = time.perf_counter()
        server.stop()
        measured.stop_s = time.perf_counter() - started
    some = probes.some(slice(-_AFTER_RESTART, None))
    return Probes(np.where(np.isin(some.people, removed), -1, some.people), some.vectors)


def _second_life(data_dir: Path, measured: Measured, probes: Probes) -> None:
    with _started(data_dir) as (server, measured.restart_s):
        measured.restarted_mb = resident_mb(server.pid)
        measured.wrong_after_restart = _search(server, Measured(), probes)


@contextmanager
def _started(data_dir: Path) -> Iterator[tuple[Server, float]]:
    """A server, and the seconds until it was ready."""
    started = time.perf_counter()
    with serving(data_dir) as server:
        yield server, time.perf_counter() - started


def _enroll(server: Server, measured: Measured, people: int, searches: int) -> Probes:
    """Enroll everybody; returns as many probes as searches, in random order."""
    cosine = (1 + _THRESHOLD) / 2
    generator = np.random.default_rng(_SEED)
    half = searches // 2
    known = np.sort(generator.choice(people, half, replace=half > people, shuffle=False))
    parts = []
    with Wire(server.port) as wire:
        for first in range(0, people, _REQUEST_LINES):
            vectors = unit_vectors(min(_REQUEST_LINES, people - first), generator)
            parts.append(vectors[known[(known >= first) & (known < first + len(vectors))] - first])
            started = time.perf_counter()
            status, answer = wire.ask("POST", BATCH, lines(vectors, first), JSON_LINES)
            measured.enroll_s += time.perf_counter() - started
            if status != 200 or answer.count(b'"status":"enrolled"') != len(vectors):
                raise AnswerError(f"{status}: not all were enrolled")
            console.print(
                f"{first + len(vectors)} people, {measured.enroll_s:.0f} s", highlight=False
            )
    strangers = unit_vectors(searches - len(known), generator)
    vectors = np.concatenate([noisy(np.concatenate(parts), cosine, generator), strangers])
    numbers = np.concatenate([known, np.full(len(strangers), -1)])
    order = generator.permutation(len(numbers))
    return Probes(numbers[order], vectors[order])


def _search(server: Server, measured: Measured, probes: Probes) -> int:
    """Search for all of them as fast as is answered; returns how many decisions were wrong."""
    bodies = [search_body(vector, threshold=_THRESHOLD) for vector in probes.vectors]
    shares = [range(start, len(bodies), _CONNECTIONS) for start in range(_CONNECTIONS)]
    wall, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        asked = list(
            pool.map(lambda share: _ask(server, [bodies[place] for place in share]), shares)
        )
    measured.search_s += time.perf_counter() - wall
    measured.client_cpu_s += time.process_time() - cpu
    wrong = 0
    for share, (times, answers) in zip(shares, asked, strict=True):
        measured.search_ms += times
        wrong += sum(
            not _is_right(answer, int(probes.people[place]))
            for place, answer in zip(share, answers, strict=True)
        )
    return wrong


def _ask(server: Server, bodies: Sequence[bytes]) -> tuple[list[float], list[bytes]]:
    """Milliseconds and answer of each search."""
    with Wire(server.port) as wire:
        times, answers = [], []
        for body in bodies:
            started = time.perf_counter()
            status, answer = wire.ask("POST", SEARCH, body)
            times.append((time.perf_counter() - started) * 1e3)
            if status != 200:
                raise AnswerError(f"{status}: {answer[:500]!r}")
            answers.append(answer)
    return times, answers


def _is_right(answer: bytes, person: int) -> bool:
    body = json.loads(answer)
    if person < 0:
        return bool(body["status"] == "unknown")
    identity = body["identity"] or {}
    return body["status"] == "match" and identity.get("external_id") == name_of(person)


def _remove(server: Server, measured: Measured, people: NDArray[np.int64], probes: Probes) -> None:
    """Delete them one after the other, and look for each at once."""
    with Wire(server.port) as wire:
        for person in people.tolist():
            (found,) = wire.get(f"{IDENTITIES}?external_id={name_of(person)}")["identities"]
            started = time.perf_counter()
            wire.delete(f"{IDENTITIES}/{found['id']}")
            measured.removal_ms.append((time.perf_counter() - started) * 1e3)
            probe = probes.vectors[int(np.flatnonzero(probes.people == person)[0])]
            status, answer = wire.ask("POST", SEARCH, search_body(probe, threshold=_THRESHOLD))
            measured.removed_but_found += status != 200 or name_of(person).encode("ascii") in answer


def _settle(server: Server) -> float:
    """Wait until it is idle; a large index is put in order in the background."""
    started = time.perf_counter()
    while idle_share(server.pid, 1.0) > _SETTLED_SHARE:
        pass
    return time.perf_counter() - started - 1.0


def _report(measured: Measured, *, people: int, searches: int) -> None:
    p50, p99 = np.percentile(measured.search_ms, (50, 99))
    growth = measured.searched_mb[-1] - measured.searched_mb[0]
    half = measured.searched_mb[_ROUNDS // 2 - 1]
    rows = [
        ("enrolled a second", f"{people / measured.enroll_s:,.0f}"),
        ("idle after that, after", f"{measured.settle_s:.0f} s"),
        ("search, p50 and p99", f"{p50:.1f} and {p99:.1f} ms"),
        (f"searches a second, {_CONNECTIONS} connections", f"{searches / measured.search_s:.0f}"),
        ("of a core, taken by the client", f"{measured.client_cpu_s / measured.search_s:.0%}"),
        (f"wrong decisions, of {searches}", str(measured.wrong)),
        ("resident memory after the start", f"{measured.start_mb:.0f} MB"),
        ("after enrolling", f"{measured.enrolled_mb:.0f} MB"),
        (
            "after 10 %, 50 % and 100 % of the searches",
            f"{measured.searched_mb[0]:.0f}, {half:.0f} and {measured.searched_mb[-1]:.0f} MB",
        ),
        ("after the restart", f"{measured.restarted_mb:.0f} MB"),
        ("CPU while idle", f"{measured.idle_cpu_share:.2%} of a core"),
        ("on disk, a person", f"{measured.disk_bytes / people:.0f} bytes"),
        ("SIGTERM until ended", f"{measured.stop_s:.1f} s"),
        ("start until ready, empty", f"{measured.start_s:.1f} s"),
        ("start until ready, full", f"{measured.restart_s:.1f} s"),
        ("wrong decisions after the restart", str(measured.wrong_after_restart)),
    ]
    figures: dict[str, object] = {
        "identities": people,
        "searches": searches,
        "enroll_per_s": round(people / measured.enroll_s, 1),
        "settle_s": round(measured.settle_s, 1),
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "client_cpu_share": round(measured.client_cpu_s / measured.search_s, 3),
        "rss_start_mb": round(measured.start_mb),
        "rss_enrolled_mb": round(measured.enrolled_mb),
        "rss_growth_mb": round(growth, 1),
        "rss_restarted_mb": round(measured.restarted_mb),
        "disk_bytes_per_person": round(measured.disk_bytes / people),
        "idle_cpu_share": round(measured.idle_cpu_share, 5),
        "stop_s": round(measured.stop_s, 2),
        "start_s": round(measured.start_s, 2),
        "restart_s": round(measured.restart_s, 2),
        "wrong_decisions": measured.wrong + measured.wrong_after_restart,
    }
    if measured.removal_ms:
        removal = np.percentile(measured.removal_ms, (50, 99))
        rows.append(("removal, p50 and p99", f"{removal[0]:.1f} and {removal[1]:.1f} ms"))
        rows.append(("removed but found at once", str(measured.removed_but_found)))
        figures["removal_p50_ms"] = round(removal[0], 2)
        figures["removal_p99_ms"] = round(removal[1], 2)
        figures["removed_but_found"] = measured.removed_but_found
    print_table(f"One server, {people:,} people, {searches:,} searches", rows)
    print_figures("service", figures)
