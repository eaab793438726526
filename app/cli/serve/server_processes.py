"""Several server processes, under uvicorn's supervisor, which replaces a dead one at once."""

import socket
from contextlib import closing
from typing import Any

import typer
import uvicorn
import uvicorn._subprocess
from uvicorn.supervisors import multiprocess

from app.cli.serve.console_address import OnReady
from app.cli.serve.process_context import process_context
from app.runtime.garbage import collect_after_start

_STARTS_WITHIN_S = 120  # importing the networks takes a while on a busy machine
_DID_NOT_START = 3  # the exit status of a process that could not start


class _ServerProcess(multiprocess.Process):
    """A process whose death its supervisor notices at once.

    The supervisor waits until each process has answered over a pipe that it is well. uvicorn leaves
    the process's end of the pipe open in the supervisor too, which then waits for a dead process.
    """

    did_not_start = False

    def start(self) -> None:
        super().start()
        self.child_conn.close()

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        collect_after_start()
        super().target(sockets)

    def is_alive(self, timeout: float = 5) -> bool:
        try:
            return super().is_alive(timeout)
        except (OSError, EOFError):
            return False

    def join(self) -> None:
        super().join()
        if self.process.exitcode == _DID_NOT_START:
            _ServerProcess.did_not_start = True


class _Supervisor(multiprocess.Multiprocess):
    """A supervisor that calls `on_ready` once, when each of its processes answers requests."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, on_ready: OnReady) -> None:
        super().__init__(config, [listening])
        self._port: int = listening.getsockname()[1]
        self._on_ready: OnReady | None = on_ready

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        if self._on_ready is None or self.should_exit.is_set():
            return
        if all(process.is_ready(_STARTS_WITHIN_S) for process in self.processes):
            self._on_ready(self._port)
            self._on_ready = None


def run_processes(count: int, on_ready: OnReady, **options: Any) -> None:  # noqa: ANN401  (uvicorn's own)
    """Serve until a signal to stop. The exit status is 1 if a process could not start."""
    multiprocess.Process = _ServerProcess  # type: ignore[misc]
    uvicorn._subprocess.spawn = process_context()  # type: ignore[assignment]  # noqa: SLF001
    config = uvicorn.Config(
        "app.main:create_server_app",
        factory=True,
        workers=count,
        timeout_worker_healthcheck=_STARTS_WITHIN_S,
        **options,
    )
    with closing(config.bind_socket()) as listening:
        _Supervisor(config, listening, on_ready).run()
    if _ServerProcess.did_not_start:
        raise typer.Exit(1)
