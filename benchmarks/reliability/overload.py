"""Goodput and refusals of a service at three times the load that it can serve.

    python -m benchmarks overload [--faces FOLDER] [--factor 3] [--workers N] [--quick]

First the most that one `vultus serve` identifies in a second, by closed loops on several numbers of
connections. Then requests leave on schedule, `--factor` times as many a second, whether or not
answers come, on as many connections as that takes. Goodput is what was answered 200 while they were
sent, a second, beside that peak. A refusal is right when it is 503 with Retry-After. Times are from
sending to the whole answer; how late the client sent is reported, because it shares the cores with
the server. Where other work shares the cores, answers for each second of the server's CPU time say
more than those a second. At the end one connection asks alone again, as before.

The queue is the service's default, unless VULTUS_LIMITS__MAX_WAITING is given by `--max-waiting`.
Without `--faces` the photos are made from two that packages ship.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.settings import Settings
from benchmarks.kit.load import (
    IDENTIFY,
    Answer,
    Load,
    closed_loop,
    open_loop,
    percentiles_ms,
    upload,
)
from benchmarks.kit.load_photos import portraits
from benchmarks.kit.options import benchmark_parser, optional_faces, parse_options
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import Server, serving
from benchmarks.kit.usage import cpu_s
from benchmarks.kit.vectors import lines, unit_vectors
from benchmarks.kit.wire import Wire

_TIMEOUT_S = 120.0
_SEED = 0


@dataclass(frozen=True, slots=True)
class Scale:
    people: int = 1_000
    photos: int = 200
    connections: tuple[int, ...] = (4, 8, 16)
    alone: int = 20
    """Requests of one connection, before and afterwards."""
    peak_s: float = 15.0
    """Seconds of the closed loop on each number of connections."""
    window_s: float = 60.0
    """Seconds of overload."""


_QUICK = Scale(peak_s=5.0, window_s=15.0)
_SMOKE = Scale(people=20, photos=4, connections=(1, 2), alone=2, peak_s=0.1, window_s=0.3)


@dataclass(slots=True)
class Measured:
    max_waiting: int
    peaks: dict[int, float]
    """Good answers a second, by connections."""
    peak_per_cpu_s: float
    """Good answers a second of the server's CPU time, over all of these."""
    alone: Load
    offered: float
    """Requests a second."""
    window_s: float
    load: Load
    server_cpu_s: float
    after: Load

    @property
    def peak(self) -> float:
        return max(self.peaks.values())

    @property
    def goodput(self) -> float:
        until = self.load.started_s + self.window_s
        return sum(a.answered_s <= until for a in self.load.good) / self.window_s


def main() -> None:
    parser = benchmark_parser(__doc__, quick="15 s of overload, not 60", faces=True)
    parser.add_argument("--factor", type=float, default=3.0, help="times the peak that is offered")
    parser.add_argument("--workers", type=int, help="vultus serve --workers N (else as it starts)")
    parser.add_argument("--max-waiting", type=int, help="photos that may wait (else the default)")
    options = parse_options(parser)
    data = optional_faces(parser, options)
    print_machine()
    scale = _SMOKE if options.smoke else _QUICK if options.quick else Scale()
    requests = [upload(IDENTIFY, "image", photo) for photo in portraits(data, scale.photos)]
    arguments = [] if options.workers is None else ["--workers", str(options.workers)]
    variables = {}
    max_waiting = Settings(_env_file=None).limits.max_waiting
    if options.max_waiting is not None:
        max_waiting = options.max_waiting
        variables["VULTUS_LIMITS__MAX_WAITING"] = str(max_waiting)
    with tempfile.TemporaryDirectory() as folder:
        with serving(Path(folder) / "data", *arguments, **variables) as server:
            measured = _measure(server, requests, max_waiting, options.factor, scale)
    _report(measured, options.factor)


def _measure(
    server: Server,
    requests: list[bytes],
    max_waiting: int,
    factor: float,
    scale: Scale,
) -> Measured:
    with Wire(server.port) as wire:
        wire.batch(lines(unit_vectors(scale.people, np.random.default_rng(_SEED)), first=0))
    most = max(scale.connections)
    closed_loop(server.port, requests[: 2 * most], connections=most)
    alone = closed_loop(server.port, requests[: scale.alone], connections=1)
    peaks = {}
    good, before = 0, cpu_s(server.pid)
    for connections in scale.connections:
        load = closed_loop(server.port, requests, connections=connections, seconds=scale.peak_s)
        load.require_good()
        peaks[connections] = load.throughput
        good += len(load.good)
        console.print(f"{connections} connections: {load.throughput:.1f}/s", highlight=False)
    peak_per_cpu_s = good / (cpu_s(server.pid) - before)
    offered = factor * max(peaks.values())
    before = cpu_s(server.pid)
    load = open_loop(
        server.port, requests, a_second=offered, seconds=scale.window_s, timeout_s=_TIMEOUT_S
    )
    return Measured(
        max_waiting=max_waiting,
        peaks=peaks,
        peak_per_cpu_s=peak_per_cpu_s,
        alone=alone,
        offered=offered,
        window_s=scale.window_s,
        load=load,
        server_cpu_s=cpu_s(server.pid) - before,
        after=closed_loop(server.port, requests[: scale.alone], connections=1),
    )


def _is_right_refusal(answer: Answer) -> bool:
    return answer.status == 503 and b"\r\nretry-after:" in answer.headers


def _report(measured: Measured, factor: float) -> None:
    load = measured.load
    answers = load.answers
    refused = [answer for answer in answers if _is_right_refusal(answer)]
    timeouts = sum(answer.failure == "timeout" for answer in answers)
    others = [a for a in answers if a.status != 200 and a.failure != "timeout"]
    other_errors = len(others) - len(refused)
    ratio = measured.goodput / measured.peak
    share = len(refused) / len(answers)
    refused_ms = [*percentiles_ms(refused, 50, 99), max((a.ms for a in refused), default=np.nan)]
    good_ms = [*percentiles_ms(load.good, 50, 99), max((a.ms for a in load.good), default=np.nan)]
    per_cpu_ratio = len(load.good) / measured.server_cpu_s / measured.peak_per_cpu_s
    lag_p99 = float(np.percentile([(a.sent_s - a.due_s) * 1e3 for a in answers], 99))
    client = load.client_cpu_s / (load.client_cpu_s + measured.server_cpu_s)
    alone, after = (percentiles_ms(one.answers, 50)[0] for one in (measured.alone, measured.after))
    print_table(
        f"{factor:g} times the peak for {measured.window_s:g} s",
        [
            ("photos that may wait (VULTUS_LIMITS__MAX_WAITING)", str(measured.max_waiting)),
            (
                "closed loops, by connections",
                ", ".join(f"{n}: {peak:.1f}/s" for n, peak in measured.peaks.items()),
            ),
            ("offered", f"{measured.offered:.1f}/s, {len(answers)} requests"),
            ("goodput, and its share of the peak", f"{measured.goodput:.1f}/s, {ratio:.3f}"),
            ("the same for each second of the server's CPU time", f"{per_cpu_ratio:.3f}"),
            ("refused with 503 and Retry-After", f"{len(refused)}, {share:.1%}"),
            ("refusals, p50, p99, max", _ms(refused_ms)),
            ("identified, p50, p99, max", _ms(good_ms)),
            (f"without an answer after {_TIMEOUT_S:g} s", str(timeouts)),
            ("other errors", f"{other_errors} {_kinds(others, refused)}"),
            ("one connection alone, p50, before and after", f"{alone:.0f}, {after:.0f} ms"),
            ("most connections", str(load.most_connections)),
            ("the client sent late, p99; its share of the CPU", f"{lag_p99:.1f} ms, {client:.1%}"),
        ],
    )
    print_figures(
        "overload",
        {
            "goodput_ratio": round(ratio, 4),
            "refused_p99_ms": _figure(refused_ms[1]),
            "refused_max_ms": _figure(refused_ms[2]),
            "timeouts": timeouts,
            "other_errors": other_errors,
            "goodput_per_cpu_ratio": round(per_cpu_ratio, 4),
            "peak_per_s": round(measured.peak, 2),
            "offered_per_s": round(measured.offered, 2),
            "goodput_per_s": round(measured.goodput, 2),
            "refused_share": round(share, 4),
            "refused_p50_ms": _figure(refused_ms[0]),
            "accepted_p50_ms": _figure(good_ms[0]),
            "accepted_p99_ms": _figure(good_ms[1]),
            "accepted_max_ms": _figure(good_ms[2]),
            "max_waiting": measured.max_waiting,
            "alone_p50_ms": _figure(alone),
            "alone_after_p50_ms": _figure(after),
            "client_lag_p99_ms": _figure(lag_p99),
            "client_cpu_share": round(client, 4),
        },
    )


def _kinds(others: list[Answer], refused: list[Answer]) -> str:
    """A few of the answers that are neither good nor right refusals."""
    right = set(map(id, refused))
    kinds = {f"{a.status} {a.failure}".strip() for a in others if id(a) not in right}
    return f"({'; '.join(sorted(kinds)[:3])})" if kinds else ""


def _ms(values: list[float]) -> str:
    return ", ".join("none" if np.isnan(value) else f"{value:.1f}" for value in values) + " ms"


def _figure(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else round(value, 2)
