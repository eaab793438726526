"""Programs in processes of their own, each in a process group that can be killed as a whole."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Protocol, Required, TypedDict, Unpack

VULTUS = Path(sys.executable).parent / "vultus"
"""The installed command."""


class Program(Protocol):
    """A process; the methods are those of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def terminate(self) -> None: ...


class Surroundings(TypedDict, total=False):
    """Environment, folder and file descriptors that a process inherits.

    `stdout` and `stderr` are those of this process where they are not given.
    """

    env: Required[Mapping[str, str]]
    cwd: Path
    stdout: int
    stderr: int


def start_program(
    command: Sequence[str | Path], **surroundings: Unpack[Surroundings]
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own."""
    return subprocess.Popen(command, start_new_session=True, **surroundings)


def start_vultus(
    arguments: Sequence[str | Path],
    *,
    script: str | None = None,
    **surroundings: Unpack[Surroundings],
) -> Program:
    """Start the installed `vultus`, or a Python script that runs a part of it.

    Both take 3 s of CPU time for their imports.
    """
    program = [VULTUS] if script is None else [sys.executable, script]
    return start_program([*program, *arguments], **surroundings)


def server_environment(data_dir: Path, port: int, **variables: str) -> dict[str, str]:
    """The environment of a `vultus serve` on the CPU, without the VULTUS_ variables from here."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("VULTUS_")
    }
    return inherited | {
        "VULTUS_DATA_DIR": str(data_dir),
        "VULTUS_PORT": str(port),
        "VULTUS_DEVICE": "cpu",
        # As they were prepared for one server, for all others: half a second of CPU time each.
        "VULTUS_PREPARED_DIR": f"{gettempdir()}/vultus-tests-prepared-{os.getuid()}",
        "VULTUS_LOG__FORMAT": "json",
        # They are asked for the same person again and again, until something has happened.
        "VULTUS_LIMITS__SEARCHES_PER_PERSON": "1000000",
        **variables,
    }
