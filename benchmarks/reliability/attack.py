"""An honest client's identify beside attackers who try all at once.

    python -m benchmarks attack [--seconds 60] [--idle 600] [--quick]

One `vultus serve` on SQLite has two keys. With the one, an honest client identifies photos and
enrolls people, each request on a new connection, a few times a second. With the other, and without
a key, attackers hold idle connections, drip headers and bodies, send floods of headers, and send
JSON, forms and images that cost more than their bytes, each as soon as it was answered. Quiet
rounds and attacked ones take turns, so that what else happens on the machine meets both. Then the
server is killed and started again, and everybody whose enrolment was acknowledged is looked for.

An answer 429 or 503 with Retry-After is an announced refusal, any other than 200 and 201 a failure.
The attackers share the cores with the server: what they cost themselves is part of the figures.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count, cycle
from pathlib import Path
from threading import Event, Thread

import numpy as np

from benchmarks.kit.load import IDENTIFY
from benchmarks.kit.load_photos import portraits
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.usage import resident_mb
from benchmarks.kit.vectors import lines, unit_vectors
from benchmarks.kit.wire import FORM, IDENTITIES, Wire, form
from benchmarks.reliability.attackers import ATTACKER, AttackerProcess

_HONEST = "honest" * 6
_PHOTOS = 40
_IDENTIFIES_PER_S = 8
_ENROLS_PER_S = 2
_SETTLES_S = 1.0
_SAMPLE_S = 0.05
_SWITCH_S = 0.0005
_SEED = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """Rounds of each kind; seconds of all rounds of a kind, and of the first, which counts not."""

    people: int
    seconds: float
    idle: int
    rounds: int = 4
    first_s: float = 2.0


@dataclass(slots=True)
class Measured:
    quiet_ms: list[float] = field(default_factory=list)
    attacked_ms: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """Announced refusals of the honest client, by request and code."""
    failures: Counter[str] = field(default_factory=Counter)
    enrolled: list[str] = field(default_factory=list)
    """External ids that were acknowledged."""
    lost: int = 0
    start_mb: float = 0.0
    peak_mb: float = 0.0
    attacks: Counter[str] = field(default_factory=Counter)


def main() -> None:
    parser = benchmark_parser(__doc__, quick="20 seconds of each kind of round")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each kind of round")
    parser.add_argument("--idle", type=int, default=600, help="idle connections")
    parser.add_argument("--only", nargs="*", help="names of attacks (else all)")
    options = parse_options(parser)
    scale = Scale(1_000, 20.0 if options.quick else options.seconds, options.idle)
    if options.smoke:
        scale = Scale(people=50, seconds=1.0, idle=20, rounds=1, first_s=0.2)
    print_machine()
    sys.setswitchinterval(_SWITCH_S)
    measured = Measured()
    keys = {"VULTUS_API_KEYS": f"{_HONEST},{ATTACKER}"}
    photos = portraits(None, _PHOTOS)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with serving(data, **keys) as server:
            with Wire(server.port, api_key=_HONEST) as wire:
                wire.batch(lines(unit_vectors(scale.people, np.random.default_rng(_SEED)), 0))
            client = _Honest(server.port, photos, measured)
            client.round(scale.first_s, [])  # the first requests take longer
            measured.start_mb = resident_mb(server.pid)
            attackers = AttackerProcess(
                server.port, idle=scale.idle, only=options.only, small=options.smoke
            )
            for number in range(scale.rounds):
                client.round(scale.seconds / scale.rounds, measured.quiet_ms)
                with _watched(server, measured), attackers.attacking(measured.attacks):
                    time.sleep(_SETTLES_S)
                    client.round(scale.seconds / scale.rounds, measured.attacked_ms)
                console.print(f"round {number + 1} of {scale.rounds}", highlight=False)
            attackers.close()
            server.kill()
        with serving(data, **keys) as server:
            measured.lost = _lost(server, measured.enrolled)
    _report(measured, scale)


class _Honest:
    """Identifies photos and enrolls people, on two threads."""

    def __init__(self, port: int, photos: Sequence[bytes], measured: Measured) -> None:
        self._port = port
        self._measured = measured
        self._bodies = cycle([form("image", photo) for photo in photos])
        self._numbers = count()
        self._vectors = np.random.default_rng(_SEED + 1)

    def round(self, seconds: float, times: list[float]) -> None:
        """Milliseconds of each identify go to `times`."""
        until = time.perf_counter() + seconds
        threads = [
            Thread(target=self._repeat, args=(until, _IDENTIFIES_PER_S, self._identify, times)),
            Thread(target=self._repeat, args=(until, _ENROLS_PER_S, self._enroll, [])),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _repeat(
        self, until: float, per_s: float, ask: Callable[[Wire], None], times: list[float]
    ) -> None:
        while (began := time.perf_counter()) < until:
            try:
                with Wire(self._port, timeout_s=120, api_key=_HONEST) as wire:
                    ask(wire)
            except (OSError, HTTPException) as error:
                self._measured.failures[type(error).__name__] += 1
            took = time.perf_counter() - began
            times.append(took * 1e3)
            time.sleep(max(0.0, 1 / per_s - took))

    def _identify(self, wire: Wire) -> None:
        self._count("identify", *wire.ask("POST", IDENTIFY, next(self._bodies), FORM))

    def _enroll(self, wire: Wire) -> None:
        person = f"honest-{next(self._numbers)}"
        vector = unit_vectors(1, self._vectors)[0]
        body = (
            f'{{"external_id":"{person}","embeddings":[{vector.tolist()}],"force":true}}'.encode()
        )
        status, answer = wire.ask("POST", f"{IDENTITIES}:batch", body, "application/x-ndjson")
        self._count("enroll", status, answer)
        if status == 200 and b'"status":"enrolled"' in answer:
            self._measured.enrolled.append(person)

    def _count(self, what: str, status: int, answer: bytes) -> None:
        if status in (429, 503) and b'"code":"' in answer:
            code = answer.partition(b'"code":"')[2].partition(b'"')[0].decode()
            self._measured.refused[f"{what} {code}"] += 1
        elif status not in (200, 201):
            self._measured.failures[f"{what} {status}"] += 1


@contextmanager
def _watched(server: Server, measured: Measured) -> Iterator[None]:
    """Read the server's memory until the block ends."""
    over = Event()

    def sample() -> None:
        while not over.wait(_SAMPLE_S):
            measured.peak_mb = max(measured.peak_mb, resident_mb(server.pid))

    sampler = Thread(target=sample)
    sampler.start()
    try:
        yield
    finally:
        over.set()
        sampler.join()


def _lost(server: Server, enrolled: Sequence[str]) -> int:
    lost = 0
    with Wire(server.port, api_key=_HONEST) as wire:
        for person in enrolled:
            lost += wire.ask("GET", f"{IDENTITIES}/ext:{person}")[0] != 200
    return lost


def _report(measured: Measured, scale: Scale) -> None:
    quiet50, quiet99 = np.percentile(measured.quiet_ms, (50, 99))
    under50, under99 = np.percentile(measured.attacked_ms, (50, 99))
    figures = {
        "idle_connections": scale.idle,
        "quiet_p50_ms": round(float(quiet50), 1),
        "quiet_p99_ms": round(float(quiet99), 1),
        "attacked_p50_ms": round(float(under50), 1),
        "attacked_p99_ms": round(float(under99), 1),
        "p99_ratio": round(float(under99 / quiet99), 2),
        "most_ms": round(max(measured.attacked_ms), 1),
        "start_rss_mb": round(measured.start_mb),
        "peak_rss_mb": round(measured.peak_mb),
        "enrolled": len(measured.enrolled),
        "lost": measured.lost,
        "announced_refusals": dict(measured.refused),
        "failures": dict(measured.failures),
        "attacks": dict(sorted(measured.attacks.items())),
    }
    times = f"{len(measured.quiet_ms)} and {len(measured.attacked_ms)} requests"
    print_table(
        f"identify beside attackers, {scale.people:,} people, {scale.seconds:g} s of each, {times}",
        [
            ("quiet: p50, p99", f"{quiet50:.1f}, {quiet99:.1f} ms"),
            (
                "attacked: p50, p99, most",
                f"{under50:.1f}, {under99:.1f}, {max(measured.attacked_ms):.1f} ms",
            ),
            ("p99 attacked : quiet", f"{under99 / quiet99:.2f}"),
            ("resident before, most", f"{measured.start_mb:.0f}, {measured.peak_mb:.0f} MB"),
            ("acknowledged enrolments, lost", f"{len(measured.enrolled)}, {measured.lost}"),
            ("announced refusals", str(dict(measured.refused) or "none")),
            ("failures", str(dict(measured.failures) or "none")),
            ("answers to attackers", str(figures["attacks"])),
        ],
    )
    print_figures("attack", figures)
