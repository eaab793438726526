"""Processes of `vultus` and of other servers, each with a process group of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Protocol

from benchmarks.kit.wire import Wire

VULTUS = Path(sys.executable).parent / "vultus"
_STARTS_WITHIN_S = 300
_ENDS_WITHIN_S = 300


class Process(Protocol):
    """What is used of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...


class Start(Protocol):
    """Starts a process. `stdout`, `stderr`: file descriptors; None: those of this process."""

    def __call__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> Process: ...


def start_program(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Process:
    """A `Start`."""
    return subprocess.Popen(
        command, env=env, cwd=cwd, stdout=stdout, stderr=stderr, start_new_session=True
    )


def start_vultus(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Process:
    """A `Start` of the installed `vultus`; `command` is what follows its name.

    The test of all benchmarks puts another here, which imports nothing anew.
    """
    return start_program([VULTUS, *command], env=env, cwd=cwd, stdout=stdout, stderr=stderr)


def run_vultus(
    *command: str | Path, env: Mapping[str, str], statuses: Collection[int] = (0,)
) -> str:
    """Run `vultus` to its end and return what it printed.

    Raises RuntimeError for an exit status that is not among `statuses`.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        status = start_vultus(command, env=env, stdout=printed.fileno()).wait()
        if status not in statuses:
            raise RuntimeError(f"vultus {' '.join(map(str, command))}: {status}")
        printed.seek(0)
        return printed.read()


class ServerProcess:
    """Started when made; `wait_until_ready` before use. Its log lies beside its folder."""

    def __init__(
        self,
        command: Sequence[str | Path],
        port: int,
        folder: Path,
        environment: dict[str, str],
        *,
        start: Start = start_program,
    ) -> None:
        self.port = port
        self.log = folder.with_name(folder.name + ".log")
        folder.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self._process = start(command, env=environment, cwd=folder, stderr=log.fileno())

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Return as soon as /readyz says so."""
        gives_up = time.monotonic() + _STARTS_WITHIN_S
        while not self._is_ready():
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log.read_text()[-2000:]}")
            if time.monotonic() > gives_up:
                raise RuntimeError(f"the server is not ready after {_STARTS_WITHIN_S} s")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL to all processes of the group: nothing is flushed, nobody says goodbye."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(timeout=_ENDS_WITHIN_S)

    def stop(self) -> None:
        """SIGTERM, as an orchestrator does; return when it has ended."""
        self._process.terminate()
        self._process.wait(timeout=_ENDS_WITHIN_S)

    def _is_ready(self) -> bool:
        wire = Wire(self.port, timeout_s=60)
        try:
            return wire.ask("GET", "/readyz")[0] == 200
        except (OSError, HTTPException):
            return False
        finally:
            wire.close()


class Server(ServerProcess):
    """`vultus serve` on a data folder, with these variables."""

    def __init__(self, data_dir: Path, *arguments: str, **variables: str) -> None:
        port = free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
        environment |= {"VULTUS_DATA_DIR": str(data_dir), "VULTUS_PORT": str(port)}
        environment |= {"VULTUS_DEVICE": "cpu", "VULTUS_LOG__FORMAT": "json", **variables}
        # In its data folder, it is away from any .env file.
        super().__init__(["serve", *arguments], port, data_dir, environment, start=start_vultus)


@contextmanager
def serving(data_dir: Path, *arguments: str, **variables: str) -> Iterator[Server]:
    """A server that is ready; killed at the end unless it has ended by then."""
    server = Server(data_dir, *arguments, **variables)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
