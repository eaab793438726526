"""CPU time and memory of `vultus --help`, of each command's help and of a mistyped command.

    python -m benchmarks help_times [--quick]

Every command runs three times, in a process of its own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from typer.main import get_command

from app.cli.main import cli
from benchmarks.kit.options import benchmark_parser, parse_options
from benchmarks.kit.report import print_figures, print_machine

_MISTYPED = (("enrol-folder",), ("identify", "--colection", "x"))
_SMOKE = (("--help",), ("identify", "--help"), _MISTYPED[0])


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) and the largest resident memory, in MB, of one process."""

    cpu_s: float
    peak_mb: float


def measure(words: Sequence[str]) -> Cost:
    """Run `vultus WORDS` in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli.main", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # it has been waited for
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _commands() -> Iterator[tuple[str, ...]]:
    waiting: list[tuple[tuple[str, ...], object]] = [((), get_command(cli))]
    while waiting:
        path, command = waiting.pop(0)
        yield (*path, "--help")
        below: dict[str, object] = getattr(command, "commands", {})
        waiting.extend(((*path, name), one) for name, one in below.items())


def main() -> None:
    """Print a line for each command, the most expensive last."""
    parser = benchmark_parser(__doc__, quick="each command once")
    options = parse_options(parser)
    asked = _SMOKE if options.smoke else (*_commands(), *_MISTYPED)
    rounds = 1 if options.quick else 3
    measured = {words: [measure(words) for _ in range(rounds)] for words in asked}
    print_machine()
    print(f"{'CPU s':>6}  {'MB':>5}  vultus ...   (median of {rounds})")
    cost = {words: median(one.cpu_s for one in costs) for words, costs in measured.items()}
    for words in sorted(measured, key=lambda words: cost[words]):
        peak = max(one.peak_mb for one in measured[words])
        print(f"{cost[words]:6.2f}  {peak:5.0f}  {' '.join(words)}")
    most = max(one.peak_mb for costs in measured.values() for one in costs)
    print_figures("help_times", {"most_cpu_s": max(cost.values()), "most_mb": most})
