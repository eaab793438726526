"""Time until server processes on one PostgreSQL agree on a change, and stale answers.

    python -m benchmarks workers [--changes 300] [--people 2000] [--quick]

Three `vultus serve`, started together on an empty database, each with a port of its own, so that
each can be asked by itself. A person is enrolled through the first, deleted, the next is enrolled.

- Agreement: both others are asked for the person without a pause, by a thread and a connection
  each, from before the change is sent until they have agreed twice in a row. What counts is the
  time from when the writer has its acknowledgement until the first answer from which on all agree
  is there. It has the duration of that search in it, while five processes keep the machine busy.
- Late: among these, searches that were sent after the acknowledgement, without `min_revision`, and
  still answered by the state before.
- Stale: without other requests, a search with the acknowledged revision as `min_revision` is sent
  at once to each of the others. None may answer by the state before.
- Idleness: the share of one core that a process takes without requests.
- One `vultus serve --workers 3`: stale answers as above, each search on a connection of its own, so
  that the system deals them out to the workers.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from threading import Event

import numpy as np
import psutil

from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.usage import cpu_s
from benchmarks.kit.vectors import Vectors, lines, name_of, person_line, unit_vectors
from benchmarks.kit.wire import IDENTITIES, SEARCH, AnswerError, Wire, search_body
from tests.kit.postgres import new_postgres_database, postgres_server

_AGREED = 2
_GIVES_UP_S = 60
_SWITCH_S = 0.0005
"""Threads of this process take turns this often, so that none notes its moments late."""
_PROBES = 100
_SETTLES_S = 2.0
_WORKERS_SEARCHES = 6
_AT_WORK_S = 0.03
"""CPU time above which a worker has answered searches; the idle ones take less."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change to make, and a search that shows whether it was made."""

    person: str
    line: bytes
    probe: bytes
    enrolls: bool

    def agrees(self, answer: bytes) -> bool:
        return (self.person.encode("ascii") in answer) is self.enrolls

    def probe_at(self, revision: int) -> bytes:
        return self.probe[:-1] + b',"min_revision":%d}' % revision


@dataclass(frozen=True, slots=True)
class Look:
    """A search; moments in seconds."""

    sent: float
    answered: float
    agrees: bool

    @property
    def milliseconds(self) -> float:
        return (self.answered - self.sent) * 1e3


@dataclass(slots=True)
class Measured:
    """Durations in ms."""

    search: list[float] = field(default_factory=list)
    busy_search: list[float] = field(default_factory=list)
    agree: list[float] = field(default_factory=list)
    late: int = 0
    first_answer: list[float] = field(default_factory=list)
    stale: int = 0
    idle_cpu_shares: list[float] = field(default_factory=list)
    workers: int = 0
    workers_searches: int = 0
    workers_stale: int = 0


class Writer:
    """Makes changes through one server."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ids: dict[str, str] = {}

    def make(self, step: Step) -> tuple[float, int]:
        """Make the change; return when it was acknowledged, and its revision."""
        if step.enrolls:
            (result,) = self._wire.batch(step.line)
            at = time.perf_counter()
            self._ids[step.person] = result["identity_id"]
            return at, result["revision"]
        receipt = self._wire.delete(f"{IDENTITIES}/{self._ids.pop(step.person)}")
        return time.perf_counter(), receipt["revision"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Number of processes that share the database, and seconds of watching them while idle."""

    processes: int = 3
    workers: int = 3
    """Processes of the one `vultus serve --workers`."""
    idle_s: float = 10.0


_SMOKE = Scale(processes=2, workers=1, idle_s=0.2)  # each takes CPU time to start


def main() -> None:
    parser = benchmark_parser(__doc__, quick="a fifth of the changes")
    parser.add_argument("--changes", type=int, default=300, help="of each kind of measurement")
    parser.add_argument("--people", type=int, default=2_000, help="enrolled beforehand")
    options = parse_options(parser)
    changes = options.changes // 5 if options.quick else options.changes
    scale = _SMOKE if options.smoke else Scale()
    if options.smoke:
        changes, options.people = 10, 20
    print_machine()
    sys.setswitchinterval(_SWITCH_S)
    measured = Measured()
    steps = _steps(first=options.people)
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres_server() as server,
        new_postgres_database(server.url) as url,
    ):
        scratch = Path(folder)
        with _servers(scratch, url, scale.processes) as servers:
            with Wire(servers[0].port) as wire:
                wire.batch(lines(_vectors(options.people), 0))
            console.print("agreement")
            _measure_agreement(measured, servers, steps, changes)
            console.print("stale answers")
            _measure_stale(measured, servers, steps, changes)
            console.print("idleness")
            _measure_idleness(measured, servers, scale.idle_s)
        console.print("vultus serve --workers")
        arguments = ("--workers", str(scale.workers))
        with serving(scratch / "workers", *arguments, VULTUS_DATABASE_URL=url) as served:
            _measure_workers(measured, served, steps, changes // 5)
    _report(measured, scale, changes=changes, people=options.people)


@contextmanager
def _servers(scratch: Path, url: str, count: int) -> Iterator[list[Server]]:
    """Servers that start at once, each with its own data folder, as on several machines."""
    servers = [
        Server(scratch / f"server-{number}", VULTUS_DATABASE_URL=url) for number in range(count)
    ]
    try:
        for server in servers:
            server.wait_until_ready()
        yield servers
    finally:
        for server in servers:
            server.kill()


def _steps(*, first: int) -> Iterator[Step]:
    """Enroll a new person and delete them, again and again."""
    generator = np.random.default_rng(1)
    for number in count(first):
        vector = unit_vectors(1, generator)[0]
        person = name_of(number)
        line, probe = person_line(person, vector), search_body(vector, top_k=1)
        yield Step(person, line, probe, enrolls=True)
        yield Step(person, line, probe, enrolls=False)


def _vectors(people: int) -> Vectors:
    return unit_vectors(people, np.random.default_rng(0))


def _measure_agreement(
    measured: Measured, servers: Sequence[Server], steps: Iterator[Step], changes: int
) -> None:
    with (
        _connections(servers) as (writer, others),
        ThreadPoolExecutor(len(others)) as pool,
    ):
        measured.search = [
            look.milliseconds
            for look in (_look(others[0], step) for step in islice(_steps(first=0), _PROBES))
        ]
        for step in islice(steps, changes):
            watches = [_Watch(wire, step) for wire in others]
            watching = [pool.submit(watch.until_agreed) for watch in watches]
            for watch in watches:
                watch.begun.wait(_GIVES_UP_S)
            at, _ = writer.make(step)
            for watch in watches:
                watch.acknowledged_at = at
            for done in watching:
                looks = done.result()
                measured.agree.append(_agreed_after(looks, at))
                measured.late += sum(look.sent >= at and not look.agrees for look in looks)
                measured.busy_search += [look.milliseconds for look in looks]


class _Watch:
    """Searches for a person again and again."""

    def __init__(self, wire: Wire, step: Step) -> None:
        self._wire = wire
        self._step = step
        self.begun = Event()
        self.acknowledged_at = float("inf")

    def until_agreed(self) -> list[Look]:
        """All answers, up to the second in a row that agrees and was asked for after the change."""
        looks: list[Look] = []
        agreed = 0
        while agreed < _AGREED:
            look = _look(self._wire, self._step)
            looks.append(look)
            self.begun.set()
            if look.sent >= self.acknowledged_at:
                agreed = agreed + 1 if look.agrees else 0
                if look.sent > self.acknowledged_at + _GIVES_UP_S:
                    raise RuntimeError(f"{self._step.person} is still not as acknowledged")
        return looks


def _look(wire: Wire, step: Step) -> Look:
    sent = time.perf_counter()
    status, answer = wire.ask("POST", SEARCH, step.probe)
    answered = time.perf_counter()
    if status != 200:
        raise AnswerError(f"{status}: {answer[:500]!r}")
    return Look(sent, answered, step.agrees(answer))


def _agreed_after(looks: Sequence[Look], at: float) -> float:
    """Milliseconds from `at` to the first answer from which on all agree; 0 if it came before."""
    first = max((n + 1 for n, look in enumerate(looks) if not look.agrees), default=0)
    return max(0.0, looks[first].answered - at) * 1e3


def _measure_stale(
    measured: Measured, servers: Sequence[Server], steps: Iterator[Step], changes: int
) -> None:
    with _connections(servers) as (writer, others):
        for step in islice(steps, changes):
            at, revision = writer.make(step)
            for wire in others:  # all are sent before any is answered
                wire.send("POST", SEARCH, step.probe_at(revision))
            for wire in others:
                status, answer = wire.receive()
                measured.first_answer.append((time.perf_counter() - at) * 1e3)
                measured.stale += status != 200 or not step.agrees(answer)


def _measure_idleness(measured: Measured, servers: Sequence[Server], idle_s: float) -> None:
    time.sleep(min(_SETTLES_S, idle_s))
    before = [cpu_s(server.pid) for server in servers]
    time.sleep(idle_s)
    measured.idle_cpu_shares = [
        (cpu_s(server.pid) - started) / idle_s
        for server, started in zip(servers, before, strict=True)
    ]


def _measure_workers(
    measured: Measured, server: Server, steps: Iterator[Step], changes: int
) -> None:
    before = _cpu_by_child(server.pid)
    with Wire(server.port) as connection:
        writer = Writer(connection)
        for step in islice(steps, changes):
            _, revision = writer.make(step)
            for _ in range(_WORKERS_SEARCHES):
                with Wire(server.port) as wire:
                    status, answer = wire.ask("POST", SEARCH, step.probe_at(revision))
                measured.workers_searches += 1
                measured.workers_stale += status != 200 or not step.agrees(answer)
    after = _cpu_by_child(server.pid)
    measured.workers = sum(after[pid] - used > _AT_WORK_S for pid, used in before.items())


def _cpu_by_child(pid: int) -> dict[int, float]:
    return {child.pid: cpu_s(child.pid) for child in psutil.Process(pid).children()}


@contextmanager
def _connections(servers: Sequence[Server]) -> Iterator[tuple[Writer, list[Wire]]]:
    """A writer through the first server, and a connection to each of the others."""
    with ExitStack() as stack:
        first, *others = (stack.enter_context(Wire(server.port)) for server in servers)
        yield Writer(first), others


def _report(measured: Measured, scale: Scale, *, changes: int, people: int) -> None:
    agree, first = (np.percentile(ms, (50, 99)) for ms in (measured.agree, measured.first_answer))
    shares, searches = measured.idle_cpu_shares, measured.workers_searches
    print_table(
        f"{scale.processes} processes on one PostgreSQL, {people} people, {changes} changes",
        [
            ("a search, nothing else going on, p50", f"{np.median(measured.search):.1f} ms"),
            ("a search, during changes, p50", f"{np.median(measured.busy_search):.1f} ms"),
            ("acknowledged until another agrees, p50", f"{agree[0]:.1f} ms"),
            ("p99", f"{agree[1]:.1f} ms"),
            ("late: sent afterwards, answered by the state before", str(measured.late)),
            ("acknowledged until answered with min_revision, p50", f"{first[0]:.1f} ms"),
            ("p99", f"{first[1]:.1f} ms"),
            (f"stale, of {len(measured.first_answer)} with min_revision", str(measured.stale)),
            ("CPU of an idle process, mean", f"{np.mean(shares):.2%} of a core"),
            (
                f"--workers {scale.workers}: stale, of {searches} with min_revision",
                f"{measured.workers_stale}; {measured.workers} workers answered",
            ),
        ],
    )
    print_figures(
        "workers",
        {
            "agree_p50_ms": round(agree[0], 2),
            "agree_p99_ms": round(agree[1], 2),
            "late": measured.late,
            "stale": measured.stale,
            "idle_cpu_share": round(float(np.mean(shares)), 5),
            "search_p50_ms": round(float(np.median(measured.search)), 2),
            "busy_search_p50_ms": round(float(np.median(measured.busy_search)), 2),
            "min_revision_p50_ms": round(first[0], 2),
            "min_revision_p99_ms": round(first[1], 2),
            "workers_stale": measured.workers_stale,
            "workers_answered": measured.workers,
        },
    )
