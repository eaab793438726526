"""What every benchmark prints: the machine, a table for people, and one line of JSON at the end."""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

_PACKAGES = (
    "onnxruntime",
    "openvino",
    "torch",
    "faiss-cpu",
    "numpy",
    "opencv-python-headless",
    "vultus",
)

console = Console(width=120)


def print_machine() -> None:
    """Cores, load and versions: without them a figure means little."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    console.print(
        f"{platform.machine()}, {cores} cores, load {load:.1f} at the start; "
        f"Python {platform.python_version()}, {versions}",
        highlight=False,
    )


def print_table(title: str, rows: Iterable[tuple[str, str]]) -> None:
    table = Table("figure", "value", title=title)
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)


def print_figures(benchmark: str, figures: Mapping[str, object]) -> None:
    """The last line: the same figures for programs."""
    print(json.dumps({"benchmark": benchmark, "figures": figures}))
