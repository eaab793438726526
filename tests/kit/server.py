"""A real server process: `vultus serve` on a free port."""

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from typing import Any, Unpack
from urllib.parse import urlsplit

import psutil

from tests.kit.forked_vultus import ForkedVultus
from tests.kit.programs import Program, Surroundings, server_environment, start_vultus

_STARTS_WITHIN_S = 180
_ENDS_WITHIN_S = 120  # a process with a low priority on a busy machine may need many


class ServerProcess:
    """Started when made, with all its workers ready.

    `log` holds what it has logged so far, `printed` the lines on its standard output.
    """

    def __init__(self, data_dir: Path, *arguments: str, workers: int = 1, **variables: str) -> None:
        self.data_dir = data_dir
        self.log: list[str] = []
        self.printed: list[str] = []
        self._log_ended = False
        self._news = Condition()
        command = ["serve", *(["--workers", str(workers)] if workers > 1 else []), *arguments]
        read, write = os.pipe()
        read_output, write_output = os.pipe()
        self._stderr = os.fdopen(read, encoding="utf-8")
        self._stdout = os.fdopen(read_output, encoding="utf-8")
        # In its data folder, it is away from any .env file.
        environment = server_environment(data_dir, 0, **variables)
        self._process = self._start(
            command, env=environment, cwd=data_dir, stdout=write_output, stderr=write
        )
        os.close(write)
        os.close(write_output)
        self._drains = [
            Thread(target=self._read, args=(self._stderr,), daemon=True),
            Thread(target=self._read_output, daemon=True),
        ]
        for drain in self._drains:
            drain.start()
        try:
            self.wait_for("ready", count=workers)
            self.url = self.wait_for("Uvicorn running on").split()[3]
            self._wait_until_it_listens()
        except BaseException:
            self.kill()
            raise

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def worker_ids(self) -> list[int]:
        """Process ids of the workers that run, oldest first."""
        log = "\n".join(self.events)
        started = re.findall(r"Started server process \[(\d+)\]", log)
        died = re.findall(r"Child process \[(\d+)\] died", log)
        return [int(worker) for worker in started if worker not in died]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The log so far, without what is no JSON."""
        return [json.loads(line) for line in self.log if line.startswith("{")]

    @property
    def events(self) -> list[str]:
        """The event of every line of the log."""
        return [entry["event"] for entry in self.entries]

    def wait_for(self, event: str, *, count: int = 1) -> str:
        """Return the `count`th event that begins with `event`, once it is logged."""

        is_it = self._wait_for(lambda entry: str(entry["event"]).startswith(event), count)
        return str(is_it["event"])

    def wait_for_line(self, start: str) -> str:
        """Return the first printed line that begins with `start`, once it is printed."""

        def found() -> list[str]:
            return [line for line in self.printed if line.startswith(start)]

        with self._news:
            self._news.wait_for(lambda: found() or self._log_ended, _STARTS_WITHIN_S)
            assert found(), f"not printed: {self.printed}; the log: {''.join(self.log)}"
            return found()[0]

    def wait_for_request(self, request_id: str) -> dict[str, Any]:
        """Return the line of the log that ends this request, once it is logged."""
        return self._wait_for(
            lambda entry: entry["event"] == "request" and entry.get("request_id") == request_id, 1
        )

    def _wait_for(self, is_it: Callable[[dict[str, Any]], bool], count: int) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [entry for entry in self.entries if is_it(entry)]

        with self._news:
            self._news.wait_for(lambda: len(found()) >= count or self._log_ended, _STARTS_WITHIN_S)
            assert len(found()) >= count, f"not in the log: {''.join(self.log)}"
            return found()[count - 1]

    def reset_peak_memory(self) -> int:
        """Let `peak_memory` begin anew; return the bytes that are resident now. Linux alone."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5", encoding="ascii")
        return self.peak_memory()

    def peak_memory(self) -> int:
        """The most bytes that were resident. Linux alone."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status, flags=re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1_024

    def kill(self) -> None:
        """Send SIGKILL to all its processes: nothing is flushed, as in a power cut."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._ended()

    def close(self) -> None:
        """Kill it, if it has not ended."""
        self.kill()

    def stop(self) -> int:
        """Send SIGTERM, as an orchestrator does; return the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def _start(self, command: list[str], **surroundings: Unpack[Surroundings]) -> Program:
        return ForkedVultus(command, **surroundings)

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            with self._news:
                self.log.append(line)
                self._news.notify_all()
        with self._news:
            self._log_ended = True
            self._news.notify_all()

    def _read_output(self) -> None:
        for line in self._stdout:
            with self._news:
                self.printed.append(line.rstrip("\n"))
                self._news.notify_all()

    def _wait_until_it_listens(self) -> None:
        """A worker is ready a moment before the first of them listens."""
        address = urlsplit(self.url)
        gives_up = monotonic() + _STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection((address.hostname, address.port)).close()
            except ConnectionRefusedError:
                assert monotonic() < gives_up
            else:
                return

    def _ended(self) -> int:
        status = self._process.wait(timeout=_ENDS_WITHIN_S)
        # The log ends when the last process that can write to it has ended and all of it is read.
        for drain in self._drains:
            drain.join(timeout=_ENDS_WITHIN_S)
            assert not drain.is_alive(), f"processes outlived the server: {self._writers()}"
        self._stderr.close()
        self._stdout.close()
        return status

    def _writers(self) -> list[str]:
        """The command lines of processes that have the log's pipe open. Linux alone."""
        pipe = os.fstat(self._stderr.fileno()).st_ino
        found = []
        for process in psutil.process_iter():
            with suppress(OSError, psutil.Error):
                handles = Path(f"/proc/{process.pid}/fd").iterdir()
                if any(handle.stat().st_ino == pipe for handle in handles):
                    found.append(f"{process.pid} {' '.join(process.cmdline())[:200]}")
        return found


class ExecutableServer(ServerProcess):
    """The installed `vultus`, whose start takes 3 s more of CPU time."""

    def _start(self, command: list[str], **surroundings: Unpack[Surroundings]) -> Program:
        return start_vultus(command, **surroundings)


@contextmanager
def running(
    data_dir: Path, *arguments: str, workers: int = 1, **variables: str
) -> Iterator[ServerProcess]:
    """A server that is killed at the end, unless it has ended by then."""
    with closing(ServerProcess(data_dir, *arguments, workers=workers, **variables)) as server:
        yield server
