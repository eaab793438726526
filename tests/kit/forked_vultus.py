"""`vultus` in a process of its own that does not import its libraries anew.

It is forked (`tests.kit.forks`). After that it is like any other `vultus`: it has its own
arguments, environment, folder, output, session and exit status, and it can be killed. The processes
of `vultus serve --workers` are forked as well. Tests of the start itself (what is imported, what
ends a command early, how several processes start and end) run the executable.
"""

import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Unpack

from tests.kit.forks import FORKS
from tests.kit.programs import Surroundings

_STREAMS = {"stdout": 1, "stderr": 2}


class ForkedVultus:
    """`vultus ARGUMENTS`, started when made: a `Program` with the parameters of `start_vultus`."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        script: str | None = None,
        **surroundings: Unpack[Surroundings],
    ) -> None:
        self.args = [script or "vultus", *map(str, arguments)]
        with ExitStack() as stack:
            streams = [
                None if given is None else stack.enter_context(Connection(os.dup(given)))
                for given in (surroundings.get("stdout"), surroundings.get("stderr"))
            ]
            folder = surroundings.get("cwd", Path.cwd())
            self._process = FORKS.Process(
                target=_run, args=(self.args, dict(surroundings["env"]), folder, streams, script)
            )
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return the exit status; None while the process runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return status

    def send_signal(self, sig: int, /) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def run_vultus(
    *arguments: str | Path, env: Mapping[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `vultus ARGUMENTS` to its end, as `subprocess.run` with its output captured as text."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        forked = ForkedVultus(
            arguments, env=env, cwd=cwd or Path.cwd(), stdout=out.fileno(), stderr=err.fileno()
        )
        status = forked.wait(timeout=120)
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(forked.args, status, out.read(), err.read())


def _run(
    args: list[str],
    env: dict[str, str],
    cwd: Path,
    streams: Sequence[Connection | None],
    script: str | None,
) -> None:
    os.setsid()
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    sys.stdin = os.fdopen(0, closefd=False)  # uvicorn hands its descriptor on
    for (name, number), stream in zip(_STREAMS.items(), streams, strict=True):
        if stream is not None:
            os.dup2(stream.fileno(), number)
            stream.close()
        # The inherited object keeps facts of its former file, as whether that is a terminal.
        setattr(sys, name, os.fdopen(number, "w", buffering=1, encoding="utf-8", closefd=False))
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = args
    if script is not None:
        runpy.run_path(script, run_name="__main__")
        return
    # They are imported where they run.
    import app.cli.serve.serve  # noqa: PLC0415
    import app.cli.serve.server_processes  # noqa: PLC0415
    from app.cli.main import main  # noqa: PLC0415

    # What `vultus serve --workers` forks would import everything again.
    fork = get_context("fork")
    for module in (app.cli.serve.serve, app.cli.serve.server_processes):
        module.process_context = lambda: fork  # type: ignore[attr-defined]
    main()
