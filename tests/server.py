"""A real server process: `vultus serve` on a free port."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

VULTUS = Path(sys.executable).parent / "vultus"


class ServerProcess:
    """Started when made, ready when made; `log` holds what it has logged so far."""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
        environment |= {
            "VULTUS_DATA_DIR": str(data_dir),
            "VULTUS_PORT": "0",
            "VULTUS_DEVICE": "cpu",
            "VULTUS_LOG__FORMAT": "json",
            **variables,
        }
        self.log: list[str] = []
        self._process = subprocess.Popen(
            [VULTUS, "serve"],
            env=environment,
            cwd=data_dir,  # away from any .env file
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        self.url = self._address(self._process.stderr)
        self._drain = Thread(target=self.log.extend, args=(self._process.stderr,), daemon=True)
        self._drain.start()

    def _address(self, lines: Iterator[str]) -> str:
        for line in lines:
            self.log.append(line)
            if "Uvicorn running on" in line:
                url: str = json.loads(line)["event"].split()[3]
                return url
        raise AssertionError(f"the server did not start: {''.join(self.log)}")

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, nothing is flushed."""
        self._process.kill()
        self._ended()

    def stop(self) -> int:
        """End it as an orchestrator would: SIGTERM; return the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        status = self._process.wait(timeout=60)
        self._drain.join(timeout=10)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return status


@contextmanager
def running(data_dir: Path, **variables: str) -> Iterator[ServerProcess]:
    server = ServerProcess(data_dir, **variables)
    try:
        yield server
    finally:
        server.kill()
