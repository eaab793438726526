"""Several server processes: uvicorn's supervisor, which notices at once when one of them dies."""

from typing import Any

import typer
import uvicorn
from uvicorn.supervisors import multiprocess

_STARTS_WITHIN_S = 120  # importing the networks takes a while on a busy machine
_DID_NOT_START = 3  # what a worker of uvicorn exits with


class _Worker(multiprocess.Process):
    """The supervisor asks it whether it is well, and does nothing else until it answers.

    uvicorn keeps the worker's own end of the pipe open in the supervisor as well, which then does
    not notice that nobody is left to answer.
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
            _Worker.did_not_start = True


def run_workers(count: int, **options: Any) -> None:  # noqa: ANN401  (uvicorn's own)
    """Serve until told to stop; exit with 1 if that is because a worker could not start."""
    multiprocess.Process = _Worker  # type: ignore[misc]
    uvicorn.run(
        "app.main:create_server_app",
        factory=True,
        workers=count,
        timeout_worker_healthcheck=_STARTS_WITHIN_S,
        **options,
    )
    if _Worker.did_not_start:
        raise typer.Exit(1)
