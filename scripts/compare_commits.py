"""One benchmark on two commits in turns, and the ratios of its figures.

    python -m scripts.compare_commits BEFORE [AFTER] [--turns 3] -- overhead --quick

Each commit is checked out into a temporary folder, in which its benchmark runs: write paths among
its options as absolute ones. Changes that are not committed are not measured. Both commits use the
packages of this environment. The commit that runs first in one turn runs second in the next, so
that other work on the machine affects both alike.

A ratio is that of the medians. Where the ranges of both commits overlap, a difference is noise.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks.kit.report import console, print_figures, print_machine

_ROOT = Path(__file__).parents[1]

Figures = dict[str, float]
"""Numbers by name. The name of a nested figure begins with those of its parents, and a dot."""


class ComparisonError(Exception):
    """No comparison could be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Side:
    """A commit, the folder that it is checked out into, and the figures of its runs so far."""

    commit: str
    folder: Path
    runs: list[Figures] = field(default_factory=list)

    def run(self, benchmark: str, options: Sequence[str]) -> None:
        """Run the benchmark once and keep its figures.

        Raises:
            ComparisonError: The commit has no such benchmark, or the benchmark failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", *arguments_of_python(self.folder, benchmark), *options],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            end = (done.stdout + done.stderr)[-4_000:]
            raise ComparisonError(f"{benchmark} of {self.commit}: status {done.returncode}\n{end}")
        self.runs.append(figures_of(done.stdout))

    def values(self, name: str) -> list[float]:
        """A figure of each run that has it."""
        return [run[name] for run in self.runs if name in run]


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of each run before and after; empty where the commit does not have it."""

    name: str
    before: Sequence[float]
    after: Sequence[float]

    @property
    def ratio(self) -> float | None:
        """The median after, divided by the median before; None where it has no value."""
        if not self.before or not self.after or median(self.before) == 0:
            return None
        return round(median(self.after) / median(self.before), 4)

    @property
    def ranges_overlap(self) -> bool:
        """Whether the range of one side's runs reaches into that of the other."""
        return min(self.before) <= max(self.after) and min(self.after) <= max(self.before)


def main() -> None:
    """Run the comparison that the command line describes.

    Raises:
        SystemExit: No comparison could be made; the message says why.
    """
    parser = argparse.ArgumentParser(
        prog="python -m scripts.compare_commits",
        usage="%(prog)s BEFORE [AFTER] [--turns TURNS] -- BENCHMARK [OPTION...]",
        description=(__doc__ or "").splitlines()[0],
    )
    parser.add_argument("before", help="commit, tag or branch")
    parser.add_argument("after", nargs="?", default="HEAD", help="another one (default: HEAD)")
    parser.add_argument("--turns", type=int, default=3, help="runs of each commit (default: 3)")
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:split])
    if len(sys.argv) <= split + 1:
        parser.error("write the benchmark and its options after --")
    if options.turns < 1:
        parser.error("--turns must be 1 or more")
    benchmark, *theirs = sys.argv[split + 1 :]
    try:
        with (
            checked_out(_ROOT, options.before) as before,
            checked_out(_ROOT, options.after) as after,
        ):
            compare(before, after, benchmark, theirs, turns=options.turns)
    except ComparisonError as error:
        sys.exit(str(error))


def compare(
    before: Side, after: Side, benchmark: str, options: Sequence[str], *, turns: int
) -> None:
    """Run a benchmark on both commits in turns, and print its figures and their ratios.

    Raises:
        ComparisonError: A commit has no such benchmark, or the benchmark failed.
    """
    print_machine()
    for turn in range(turns):
        for side in (before, after) if turn % 2 == 0 else (after, before):
            started, load = time.monotonic(), os.getloadavg()[0]
            side.run(benchmark, options)
            console.print(
                f"turn {turn + 1} of {turns}: {benchmark} of {side.commit} took"
                f" {time.monotonic() - started:.0f} s, load {load:.1f} at its start",
                highlight=False,
            )
    names = dict.fromkeys(name for side in (before, after) for run in side.runs for name in run)
    rows = [Compared(name, before.values(name), after.values(name)) for name in names]
    table = Table("figure", before.commit, after.commit, "ratio", title=benchmark)
    for row in rows:
        table.add_row(row.name, _range(row.before), _range(row.after), _ratio(row))
    console.print(table)
    print_figures(
        "compare_commits",
        {row.name: {"before": row.before, "after": row.after, "ratio": row.ratio} for row in rows},
    )


@contextmanager
def checked_out(repository: Path, revision: str) -> Iterator[Side]:
    """Check a commit out into a temporary folder, which is removed at the end.

    Raises:
        ComparisonError: The repository has no such commit.
    """
    try:
        commit = _git(repository, "rev-parse", "--short", "--verify", revision + "^{commit}")
    except ComparisonError as error:
        raise ComparisonError(f"there is no commit {revision!r}") from error
    with tempfile.TemporaryDirectory(prefix=f"vultus-{commit}-") as temporary:
        folder = Path(temporary) / "checkout"
        _git(repository, "worktree", "add", "--detach", str(folder), commit)
        try:
            yield Side(commit, folder)
        finally:
            _git(repository, "worktree", "remove", "--force", str(folder))


def arguments_of_python(checkout: Path, benchmark: str) -> list[str]:
    """Arguments of Python; until version 0.2.0 each benchmark was a module of its own.

    Raises:
        ComparisonError: The checkout has no such benchmark.
    """
    benchmarks = checkout / "benchmarks"
    if (benchmarks / f"{benchmark}.py").is_file():
        return [f"benchmarks.{benchmark}"]
    if (benchmarks / "__main__.py").is_file():
        return ["benchmarks", benchmark]
    raise ComparisonError(f"there is no benchmark {benchmark!r} in {checkout}")


def figures_of(printed: str) -> Figures:
    """The numbers in the last line that a benchmark prints."""
    figures: Figures = {}

    def collect(value: object, name: str) -> None:
        if isinstance(value, dict):
            for key, nested in value.items():
                collect(nested, f"{name}.{key}" if name else str(key))
        elif isinstance(value, list):
            for place, nested in enumerate(value):
                collect(nested, f"{name}.{place}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            figures[name] = value

    collect(json.loads(printed.strip().splitlines()[-1])["figures"], "")
    return figures


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ComparisonError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _range(values: Sequence[float]) -> str:
    if not values:
        return "none"
    middle = f"{median(values):,.5g}"
    low, high = min(values), max(values)
    return middle if low == high else f"{middle} ({low:,.5g} to {high:,.5g})"


def _ratio(row: Compared) -> str:
    if row.ratio is None:
        return ""
    noise = row.ratio != 1 and len(row.before) > 1 and row.ranges_overlap
    return f"{row.ratio:.3f}" + (" (ranges overlap)" if noise else "")


if __name__ == "__main__":
    main()
