"""Cost of keys, the audit log with reads, and events, for each identification.

    python -m benchmarks audit_cost [--turns 4] [--rounds 12] [--people 1000] [--quick]

Three `vultus serve` on SQLite with the same people: one without keys and audit log; a second one
like it, as a control; and one with a key of the database, a line of the audit log for each read
(`audit.reads`), and a program that follows `GET /v1/events`. All are asked the same, in turns, one
block of requests after the other, so that a busy machine slows all: who is on a photo, at a
terminal, and who has an embedding. Two processes of the same program differ by some percent for as
long as they live, so each turn starts all three anew, and the control shows what is left of that.

CPU time is that of the whole process, user and system, from the beginning of a round to its end:
what threads write later is in it, and so is what each server does while it has no requests. Ratios
are of sums; their intervals are a bootstrap over turns, and rounds within them. The latency of a
pair is that of neighbours in time.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from socket import SHUT_RDWR
from threading import Thread

import numpy as np

from benchmarks.kit.load import IDENTIFY
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.ratios import ratio_interval
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.usage import cpu_s, idle_share
from benchmarks.kit.vectors import Vectors, lines, noisy, unit_vectors
from benchmarks.kit.wire import FORM, IDENTITIES, JSON, SEARCH, AnswerError, Wire, form, search_body
from tests.kit import photos

_WATCHED = "watched"
_SIDES = ("plain", "control", _WATCHED)
_ADMIN = "audit-cost-benchmark"
_KEY = {"name": "door", "role": "operator", "rights": ["templates"]}
_COLLECTION = "/v1/collections/default"
_TERMINAL = {"terminal_id": "door-1"}
_WARM_UP = 20
_SEED = 0
_COSINE = 0.98
_WRITTEN_WITHIN_S = 60
_WRITTEN_S = 1.2
"""Lines about reads are written about once a second."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request, as bodies that are sent in turn; `a_block` of them at once."""

    name: str
    path: str
    media_type: str
    bodies: list[bytes]
    a_block: int
    settle_s: float
    """Seconds after a block, in which lines about reads are written."""


@dataclass(slots=True)
class Measured:
    """A kind of request by one server of each turn: `ms` of each request, CPU of each round."""

    ms: list[float] = field(default_factory=list)
    cpu_s: list[list[float]] = field(default_factory=list)
    """Shape (turns, rounds)."""


@dataclass(frozen=True, slots=True)
class Side:
    """A server of a turn, and where its figures go, by the name of the kind."""

    server: Server
    wire: Wire
    measured: dict[str, Measured]

    def send(self, kind: Kind, count: int) -> list[float]:
        """Send requests one by one; return the milliseconds of each."""
        times = []
        for place in range(count):
            body = kind.bodies[place % len(kind.bodies)]
            started = time.perf_counter()
            status, answer = self.wire.ask("POST", kind.path, body, kind.media_type)
            times.append((time.perf_counter() - started) * 1e3)
            if status != 200 or b'"status":"match"' not in answer:
                raise AnswerError(f"{status}: {answer[:500]!r}")
        return times


Measurements = dict[str, dict[str, Measured]]
"""By the name of the side, and the name of the kind."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A kind of request by all servers. CPU in milliseconds a request; `ratio` to the plain one."""

    kind: str
    cpu_plain_ms: float
    cpu_ms: float
    ratio: float
    interval: tuple[float, float]
    control: float
    p50_plain_ms: float
    later_ms: float
    """Median of how much later the answer is than its neighbour's of the plain server."""

    @classmethod
    def of(cls, kind: Kind, sides: Measurements) -> "Cost":
        plain, control, watched = (sides[name][kind.name] for name in _SIDES)
        before, after = np.array(plain.cpu_s), np.array(watched.cpu_s)
        requests = before.size * kind.a_block
        return cls(
            kind.name,
            1e3 * float(before.sum()) / requests,
            1e3 * float(after.sum()) / requests,
            float(after.sum() / before.sum()),
            ratio_interval(before, after),
            float(np.sum(control.cpu_s) / before.sum()),
            float(np.median(plain.ms)),
            float(np.median(np.subtract(watched.ms, plain.ms))),
        )

    def rows(self) -> list[tuple[str, str]]:
        low, high = self.interval
        return [
            (
                f"{self.kind}: CPU without and with, a request",
                f"{self.cpu_plain_ms:.2f}, {self.cpu_ms:.2f} ms",
            ),
            (
                "   ratio, 95 % interval; of the control",
                f"{self.ratio:.3f} ({low:.3f} to {high:.3f}); {self.control:.3f}",
            ),
            (
                "   p50 without; how much later with, median",
                f"{self.p50_plain_ms:.2f}; {self.later_ms:+.2f} ms",
            ),
        ]

    def figures(self) -> dict[str, object]:
        return {
            "cpu_plain_ms": round(self.cpu_plain_ms, 3),
            "cpu_ms": round(self.cpu_ms, 3),
            "cpu_ratio": round(self.ratio, 4),
            "cpu_ratio_interval": [round(end, 4) for end in self.interval],
            "control_ratio": round(self.control, 4),
            "p50_plain_ms": round(self.p50_plain_ms, 2),
            "later_ms": round(self.later_ms, 3),
        }


def main() -> None:
    parser = benchmark_parser(__doc__, quick="two turns of 5 rounds")
    parser.add_argument("--turns", type=int, default=4, help="starts of all servers")
    parser.add_argument("--rounds", type=int, default=12, help="blocks of each kind and server")
    parser.add_argument("--people", type=int, default=1_000)
    options = parse_options(parser)
    turns, rounds = (2, 5) if options.quick else (options.turns, options.rounds)
    if options.smoke:
        turns, rounds, options.people = 1, 2, 20
    print_machine()
    kinds = _kinds(
        options.people,
        a_block=3 if options.smoke else 40,
        settle_s=0.0 if options.smoke else _WRITTEN_S,
    )
    sides: Measurements = {name: {kind.name: Measured() for kind in kinds} for name in _SIDES}
    idle = [
        _turn(kinds, sides, rounds, people=options.people, idle_s=0.5 if options.smoke else 5.0)
        for _ in range(turns)
    ]
    costs = [Cost.of(kind, sides) for kind in kinds]
    title = f"{options.people:,} people, {turns} turns of {rounds} rounds"
    _report(costs, np.mean(idle, axis=0).tolist(), title=title)


def _turn(
    kinds: list[Kind], sides: Measurements, rounds: int, *, people: int, idle_s: float
) -> list[float]:
    """Start servers and send all kinds of requests; return their shares of a core while idle."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        started: list[Side] = []
        for name in _SIDES:
            watched = name == _WATCHED
            settings = (
                {"VULTUS_API_KEYS": _ADMIN} if watched else {"VULTUS_AUDIT__ENABLED": "false"}
            )
            server = stack.enter_context(serving(folder / name, **settings))
            admin = stack.enter_context(Wire(server.port, api_key=_ADMIN))
            _enroll(admin, people)
            wire = admin
            if watched:
                key = _prepared(admin)
                stack.enter_context(_followed_events(server.port, key))
                wire = stack.enter_context(Wire(server.port, api_key=key))
            started.append(Side(server, wire, sides[name]))
        for kind in kinds:
            _measure(kind, started, rounds)
        idle = [idle_share(side.server.pid, idle_s) for side in started]
        _require_lines(admin)
        return idle


def _require_lines(admin: Wire) -> None:
    """Raises AnswerError when the audit log has no line of an identification."""
    gives_up = time.monotonic() + _WRITTEN_WITHIN_S
    while not admin.get("/v1/audit?action=person.identified&limit=1")["lines"]:
        if time.monotonic() > gives_up:
            raise AnswerError("the audit log has no line of an identification")
        time.sleep(0.1)


def _measure(kind: Kind, sides: list[Side], rounds: int) -> None:
    """Send a kind of request to all servers in turns."""
    for side in sides:
        side.send(kind, _WARM_UP)
        side.measured[kind.name].cpu_s.append([])
    time.sleep(kind.settle_s)
    for turn in range(rounds):
        before = [cpu_s(side.server.pid) for side in sides]
        first = turn % len(sides)
        for side in (*sides[first:], *sides[:first]):
            side.measured[kind.name].ms += side.send(kind, kind.a_block)
        time.sleep(kind.settle_s)
        for side, used in zip(sides, before, strict=True):
            side.measured[kind.name].cpu_s[-1].append(cpu_s(side.server.pid) - used)
    console.print(f"{kind.name}: done", highlight=False)


def _prepared(admin: Wire) -> str:
    """Turn lines about reads on; return a new key of the database."""
    status, answer = admin.ask("PATCH", _COLLECTION, b'{"options":{"audit":{"reads":true}}}', JSON)
    if status != 200:
        raise AnswerError(f"{status}: {answer[:500]!r}")
    key: str = admin.post("/v1/keys", json.dumps(_KEY).encode("ascii"))["text"]
    return key


def _kinds(people: int, *, a_block: int, settle_s: float) -> list[Kind]:
    probes = noisy(_vectors(people), _COSINE, np.random.default_rng(_SEED + 1))
    whole = photos.astronaut()
    sizes = {"photo of 250 x 250": whole.crop((100, 0, 350, 250)), "photo of 512 x 512": whole}
    of_photos = [
        Kind(
            name,
            IDENTIFY,
            FORM,
            [form("image", photos.encoded(photo), _TERMINAL)],
            a_block,
            settle_s,
        )
        for name, photo in sizes.items()
    ]
    bodies = [search_body(probe, **_TERMINAL) for probe in probes[:500]]
    return [*of_photos, Kind("search by an embedding", SEARCH, JSON, bodies, 5 * a_block, settle_s)]


def _vectors(people: int) -> Vectors:
    return unit_vectors(people - 1, np.random.default_rng(_SEED))


def _enroll(wire: Wire, people: int) -> None:
    wire.batch(lines(_vectors(people), 0))
    photo = form("images", photos.encoded(photos.astronaut()))
    status, answer = wire.ask("POST", IDENTITIES, photo, FORM)
    if status != 201:
        raise AnswerError(f"{status}: {answer[:500]!r}")


@contextmanager
def _followed_events(port: int, key: str) -> Iterator[None]:
    """A program that reads all events for as long as the block lasts."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/v1/events", headers={"x-api-key": key})
    answer = connection.getresponse()
    if answer.status != 200:
        raise AnswerError(f"{answer.status}")

    def read() -> None:
        while answer.readline():
            pass

    reader = Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        connection.sock.shutdown(SHUT_RDWR)
        reader.join()
        connection.close()


def _report(costs: list[Cost], idle: list[float], *, title: str) -> None:
    plain, _, watched = idle
    print_table(
        f"Keys, audit log with reads, events: {title}",
        [
            *[row for cost in costs for row in cost.rows()],
            (
                "share of a core while idle, without and with",
                f"{100 * plain:.2f}, {100 * watched:.2f} %",
            ),
        ],
    )
    print_figures(
        "audit_cost",
        {
            **{cost.kind: cost.figures() for cost in costs},
            "idle_plain": round(plain, 5),
            "idle": round(watched, 5),
        },
    )
