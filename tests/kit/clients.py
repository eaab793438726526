"""Real clients of other servers, run as programs in the environment that has them.

That is `.venv-clients` beside the environment of the tests (`make clients`). Tests of a client that
is not there are skipped, with the reason.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_OURS = Path(sys.prefix).resolve()
CLIENTS = _OURS.with_name(f"{_OURS.name}-clients")
ROOT = Path(__file__).parents[2]
_ENDS_WITHIN_S = 120


@dataclass(frozen=True)
class Call:
    """A line of a program in `tests/clients`: what a call answered, or the error that it raised."""

    name: str
    answer: Any = None
    error: str | None = None
    text: str | None = None


def needs_client(name: str) -> pytest.MarkDecorator:
    """Skip a test where the client of this name (`scripts/install_clients.py`) is not installed."""
    reason = _reasons().get(name, "it is not installed: run make clients")
    return pytest.mark.skipif(reason is not None, reason=f"{name}: {reason}")


def run_client(program: str, **given: Any) -> list[Call]:
    """Run a program of `tests/clients` to its end: a module's name, or a file `NAME.mjs`.

    `given` is what `given()` returns there. A program that fails outside of its calls fails the
    test.
    """
    argument = json.dumps(given)
    if program.endswith(".mjs"):
        printed = _run_node(program, argument)
    else:
        module = f"tests.clients.{program}"
        printed = _run([_program("python"), "-m", module, argument], ROOT)
    lines = [json.loads(line) for line in printed.splitlines()]
    return [
        Call(line["call"], line.get("answer"), line.get("error"), line.get("text"))
        for line in lines
    ]


def run_program(name: str, *arguments: str, check: bool = True, **variables: str) -> str:
    """Run a program that a client brings, as `aws`, and return its standard output."""
    return _run([_program(name), *arguments], ROOT, check=check, **variables)


def _run_node(program: str, argument: str) -> str:
    """Node finds packages only above the file that imports them."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "node_modules").symlink_to(CLIENTS / "node" / "node_modules")
        for source in (ROOT / "tests" / "clients").glob("*.mjs"):
            shutil.copy(source, place)
        return _run(["node", place / program, argument], place)


def _program(name: str) -> Path:
    return CLIENTS / "bin" / name


def _run(
    command: Sequence[str | Path], folder: Path, *, check: bool = True, **variables: str
) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=_surroundings() | variables,
        capture_output=True,
        text=True,
        timeout=_ENDS_WITHIN_S,
        check=False,
    )
    assert not check or done.returncode == 0, f"{command} failed: {done.stderr}"
    return done.stdout


def _surroundings() -> dict[str, str]:
    """The environment of this process, without what clients of AWS take from it and from files."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VULTUS_", "AWS_", "PYTHON"))
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


@cache
def _reasons() -> dict[str, str | None]:
    report = CLIENTS / "clients.json"
    reasons: dict[str, str | None] = (
        json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    )
    return reasons
