"""Milvus Lite behind a port, as a Milvus that can be killed, frozen and started again."""

import os
import socket
import subprocess
import warnings
from pathlib import Path
from time import monotonic, sleep

from tests.kit.paused_processes import pause, resume

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
    from milvus_lite.server import BIN_PATH


class LiteServer:
    """One server process on one file; `uri` stays the same when it is started again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [f"{BIN_PATH}/milvus", self._file, f"127.0.0.1:{self._port}", "ERROR"],
            env={**os.environ, "LD_LIBRARY_PATH": BIN_PATH},
            cwd=self._file.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up = monotonic() + 60
        while not self._listens():
            assert self._process.poll() is None
            assert monotonic() < give_up
            sleep(0.01)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)

    def freeze(self) -> None:
        pause(self._process.pid)

    def thaw(self) -> None:
        resume(self._process.pid)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0
