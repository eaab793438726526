"""Processes of `vultus` and of other servers, each with a process group of its own."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import ClassVar, TypeVar, Unpack

from benchmarks.kit.wire import Wire
from tests.kit.programs import (
    Program,
    Surroundings,
    server_environment,
    start_program,
    start_vultus,
)

ServerT = TypeVar("ServerT", bound="ServerProcess")

_STARTS_WITHIN_S = 300
_ENDS_WITHIN_S = 300


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
    """A process, started when made; call `wait_until_ready` before use. Its log is FOLDER.log."""

    def __init__(
        self,
        command: Sequence[str | Path],
        port: int,
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        self.port = port
        self.log = folder.with_name(folder.name + ".log")
        folder.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self._process = self._start(command, env=environment, cwd=folder, stderr=log.fileno())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
        """Send SIGKILL to all processes of the group: nothing is flushed."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(timeout=_ENDS_WITHIN_S)

    def stop(self) -> None:
        """Send SIGTERM, as an orchestrator does; return when it has ended."""
        self._process.terminate()
        self._process.wait(timeout=_ENDS_WITHIN_S)

    def _start(
        self, command: Sequence[str | Path], **surroundings: Unpack[Surroundings]
    ) -> Program:
        return start_program(command, **surroundings)

    def _is_ready(self) -> bool:
        try:
            with Wire(self.port, timeout_s=60) as wire:
                return wire.ask("GET", "/readyz")[0] == 200
        except (OSError, HTTPException):
            return False


class Server(ServerProcess):
    """`vultus serve` on a data folder, with these variables; or a script that runs a part of it."""

    script: ClassVar[str | None] = None

    def __init__(self, data_dir: Path, *arguments: str, **variables: str) -> None:
        port = free_port()
        # Benchmarks measure decisions and search for the same people again and again.
        exact = {"VULTUS_EXACT_SIMILARITIES": "true"}
        environment = server_environment(data_dir, port, **exact | variables)
        # In its data folder, it is away from any .env file.
        super().__init__(["serve", *arguments], port, data_dir, environment)

    def _start(
        self, command: Sequence[str | Path], **surroundings: Unpack[Surroundings]
    ) -> Program:
        return start_vultus(command, script=self.script, **surroundings)


def serving(data_dir: Path, *arguments: str, **variables: str) -> AbstractContextManager[Server]:
    """A server that is ready; killed at the end unless it has ended by then."""
    return until_killed(Server(data_dir, *arguments, **variables))


@contextmanager
def until_killed(server: ServerT) -> Iterator[ServerT]:
    """The server once it is ready; killed at the end unless it has ended by then."""
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
