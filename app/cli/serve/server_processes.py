"""Several server processes, under uvicorn's supervisor, which replaces a dead one at once."""

from typing import Any

import typer
import uvicorn
from uvicorn.supervisors import multiprocess

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

    def is_alive(self, timeout: float = 5) -> bool:
        try:
            return super().is_alive(timeout)
        except (OSError, EOFError):
            return False

    def join(self) -> None:
        super().join()
        if self.process.exitcode == _DID_NOT_START:
            _ServerProcess.did_not_start = True


def run_processes(count: int, **options: Any) -> None:  # noqa: ANN401  (uvicorn's own)
    """Serve until a signal to stop. The exit status is 1 if a process could not start."""
    multiprocess.Process = _ServerProcess  # type: ignore[misc]
    uvicorn.run(
        "app.main:create_server_app",
        factory=True,
        workers=count,
        timeout_worker_healthcheck=_STARTS_WITHIN_S,
        **options,
    )
    if _ServerProcess.did_not_start:
        raise typer.Exit(1)
