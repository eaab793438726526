"""What encryption at rest costs: enrolment, starts, search, and space on disk.

    python -m benchmarks encryption [--faces 1000000] [--dimension 128] [--repeats 3] [--quick]

Two galleries on SQLite with the same people, one in the clear and one with a master key, are given
the same work in turns, so that a busy machine slows both. Single enrolments are by an embedding in
this process, and by a photo over HTTP, each acknowledged when it is on disk. A bulk is of a
thousand people. Starts are processes of their own, from SQL (no snapshot) and from a snapshot. CPU
time is that of the process, user and system; a ratio is of medians, sealed to clear.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any, ParamSpec, TypeVar

from benchmarks.kit.load_photos import portraits
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.own_process import in_own_process
from benchmarks.kit.report import console, print_figures, print_machine, print_table
from benchmarks.kit.servers import serving
from benchmarks.kit.usage import cpu_s
from benchmarks.kit.wire import FORM, IDENTITIES, AnswerError, Wire, form
from benchmarks.speed.encryption_runs import (
    MASTER_TEXT,
    SIDES,
    Spent,
    enrolments,
    fill,
    measured,
    search_times,
    start,
)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pair:
    """The same work in the clear and sealed: medians in seconds."""

    clear: Spent
    sealed: Spent

    @classmethod
    def of(cls, spent: Mapping[str, list[Spent]]) -> "Pair":
        def middle(side: str) -> Spent:
            return Spent(
                median(one.wall_s for one in spent[side]), median(one.cpu_s for one in spent[side])
            )

        return cls(middle("clear"), middle("sealed"))

    def text(self, unit: str = "s") -> str:
        factor = 1e3 if unit == "ms" else 1.0
        walls = f"{factor * self.clear.wall_s:.3g}, {factor * self.sealed.wall_s:.3g} {unit}"
        ratio = self.sealed.wall_s / self.clear.wall_s
        text = f"{walls} (x {ratio:.2f})"
        if self.clear.cpu_s:
            cpus = f"{factor * self.clear.cpu_s:.3g}, {factor * self.sealed.cpu_s:.3g} {unit}"
            text += f"; CPU {cpus} (x {self.sealed.cpu_s / self.clear.cpu_s:.2f})"
        return text

    def figures(self) -> dict[str, object]:
        return {"clear": asdict(self.clear), "sealed": asdict(self.sealed)}


def main() -> None:
    parser = benchmark_parser(__doc__, quick="100,000 faces, two repeats")
    parser.add_argument("--faces", type=int, default=1_000_000, help="faces of the starts")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3, help="starts of each kind and gallery")
    options = parse_options(parser)
    singles, bulks, photos = 300, 10, 100
    if options.quick:
        options.faces, options.repeats, singles, bulks = 100_000, 2, 150, 4
    if options.smoke:
        options.faces, options.repeats, singles, bulks, photos = 400, 1, 4, 1, 1
    run = _here if options.smoke else in_own_process
    print_machine()
    pairs: dict[str, Pair] = {}
    sizes: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        enrol = run(enrolments, folder / "enrol", options.dimension, singles=singles, bulks=bulks)
        pairs |= {name: Pair.of(sides) for name, sides in enrol.items()}
        pairs["photo"] = Pair.of(_photos(folder, photos))
        size = options.faces, options.dimension, options.repeats
        pairs |= _starts(run, folder / "start", *size, sizes)
    _report(pairs, sizes, title=f"{options.faces:,} faces of {options.dimension} dimensions")


def _here(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Stands for a process of its own, whose start takes longer than a smoke test may."""
    return function(*args, **kwargs)


def _photos(folder: Path, count: int) -> dict[str, list[Spent]]:
    """Enrol photos at two servers in turns; CPU is that of each server, a photo on average."""
    variables: dict[str, dict[str, str]] = {
        "clear": {},
        "sealed": {"VULTUS_MASTER_KEY": MASTER_TEXT},
    }
    spent: dict[str, list[Spent]] = {side: [] for side in SIDES}
    with ExitStack() as stack:
        wires, pids = {}, {}
        for side in SIDES:
            server = stack.enter_context(serving(folder / f"photos-{side}", **variables[side]))
            wires[side] = stack.enter_context(Wire(server.port))
            pids[side] = server.pid
        for number, photo in enumerate(portraits(None, 2 * count)):
            for side in SIDES if number % 2 else SIDES[::-1]:
                took = _enrolled(wires[side], photo, pids[side])
                if took is not None and number >= count // 4:  # the first ones warm up
                    spent[side].append(took)
    return {
        side: [_mean_cpu(took, all_of_them) for took in all_of_them]
        for side, all_of_them in spent.items()
    }


def _mean_cpu(took: Spent, all_of_them: list[Spent]) -> Spent:
    """With the mean of the CPU time, which the system counts in steps of 10 ms."""
    return Spent(took.wall_s, sum(one.cpu_s for one in all_of_them) / len(all_of_them))


def _enrolled(wire: Wire, photo: bytes, pid: int) -> Spent | None:
    """Enrol a photo; None where it is too bad, at either server."""
    body = form("images", photo, {"force": "true", "quality_filter": "none"})
    answers: list[tuple[int, bytes]] = []
    before = cpu_s(pid)
    took = measured(lambda: answers.append(wire.ask("POST", IDENTITIES, body, FORM)))
    ((status, answer),) = answers
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return None
    if status != HTTPStatus.CREATED:
        raise AnswerError(f"{status}: {answer[:500]!r}")
    return Spent(took.wall_s, cpu_s(pid) - before)


def _starts(
    run: Callable[..., Any],
    folder: Path,
    count: int,
    dimension: int,
    repeats: int,
    sizes: dict[str, object],
) -> dict[str, Pair]:
    filled = {side: [run(fill, folder / side, count, dimension)] for side in SIDES}
    found: dict[str, dict[str, list[Spent]]] = {
        name: {side: [] for side in SIDES} for name in ("sql", "save", "snapshot")
    }
    for turn in range(repeats):
        for side in SIDES if turn % 2 else SIDES[::-1]:
            for snapshot in (False, True):
                done = run(start, folder / side, from_snapshot=snapshot)
                if done.faces != count:
                    raise RuntimeError(f"{done.faces} faces were loaded, not {count}")
                found["snapshot" if snapshot else "sql"][side].append(done.load)
                if done.save is not None:
                    found["save"][side].append(done.save)
    for side in SIDES:
        files = [path for path in (folder / side).rglob("*") if path.is_file()]
        sizes[side] = {
            "database": sum(path.stat().st_size for path in files if ".db" in path.name),
            "snapshot": sum(path.stat().st_size for path in files if path.suffix == ".index"),
        }
    searches = run(search_times, folder, dimension)
    return {
        "fill": Pair.of(filled),
        **{name: Pair.of(sides) for name, sides in found.items()},
        "search": Pair.of(searches),
    }


_NAMES = (
    ("single", "enrolment of an embedding", "ms"),
    ("bulk", "bulk enrolment of 1,000 people", "s"),
    ("photo", "enrolment of a photo, over HTTP", "ms"),
    ("fill", "all rows of the gallery below written by SQL", "s"),
    ("sql", "start from SQL", "s"),
    ("snapshot", "start from a snapshot", "s"),
    ("save", "writing a snapshot", "s"),
    ("search", "search", "ms"),
)


def _report(pairs: Mapping[str, Pair], sizes: Mapping[str, object], *, title: str) -> None:
    rows = [(name, pairs[key].text(unit)) for key, name, unit in _NAMES]
    rows.append(("bytes on disk", json.dumps(sizes)))
    print_table(f"{title}: clear, sealed", rows)
    console.print("One process each, in turns; see the load above.")
    figures: dict[str, object] = {key: pairs[key].figures() for key, _, _ in _NAMES}
    print_figures("encryption", {**figures, "bytes": sizes})
