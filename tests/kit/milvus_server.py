"""Milvus standalone, of the package `milvus`, as a server that can be killed and started again.

The package is the server itself (Linux on x86-64), with etcd, a message queue and storage inside.
It is started here without the package's own command, which is a parent that outlives a kill.
"""

import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.kit.paused_processes import pause, resume

WITHOUT_MILVUS = (
    None
    if importlib.util.find_spec("milvus") is not None
    else "the package milvus, which is the server, is not installed (Linux on x86-64 alone)"
)
"""Why no server can be started; None where one can."""

_READY_WITHIN_S = 300
_STOPS_WITHIN_S = 30
_LOOK_AGAIN_S = 0.05

_ETCD = """
name: default
data-dir: {data}
listen-client-urls: http://127.0.0.1:{client}
advertise-client-urls: http://127.0.0.1:{client}
listen-peer-urls: http://127.0.0.1:{peer}
initial-advertise-peer-urls: http://127.0.0.1:{peer}
initial-cluster: default=http://127.0.0.1:{peer}
unsafe-no-fsync: true
"""
"""Without fsync, as no test cuts the power, and a busy disk makes sessions of its parts expire."""

_SESSION_TTL_S = 10
"""A server that was killed is ready again once the sessions of before have expired: after 30 s by
default."""


class MilvusServer:
    """One server on one folder, which is started when made; several run beside each other.

    `uri`, all its ports and its data stay the same when it is started again. `settings` are those
    of milvus.yaml, such as {"proxy.timeTickInterval": 50}; they have to be keys of the template.
    """

    def __init__(self, folder: Path, settings: dict[str, object] | None = None) -> None:
        # Here, because the package is not there on every system.
        from milvus import MilvusServerConfig  # noqa: PLC0415

        self._folder = folder.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        config: Any = MilvusServerConfig(data_dir=str(self._folder))
        names = [name for name in config.configurable_items if name.endswith("_port")]
        etcd_peer, self._health_port, *ports = _free_ports(len(names) + 2)
        config.update(**dict(zip(names, ports, strict=True)))
        for name, value in {"common.session.ttl": _SESSION_TTL_S, **(settings or {})}.items():
            config.set(name, value)
        config.resolve()
        self._etcd = self._folder / "configs" / "etcd.yaml"
        self._etcd.write_text(
            _ETCD.format(
                data=config.get("etcd_data_dir"), client=config.get("etcd_port"), peer=etcd_peer
            ),
            encoding="ascii",
        )
        self.log = self._folder / "milvus.log"
        self.uri = f"http://127.0.0.1:{config.get('proxy_port')}"
        self.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, *, ready: bool = True) -> None:
        """Start it on the data that it has, and wait until it is ready, or not."""
        libraries = _programs()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [libraries / "milvus", "run", "standalone"],
                env={
                    **os.environ,
                    "DEPLOY_MODE": "STANDALONE",
                    "ETCD_CONFIG_PATH": str(self._etcd),  # else its etcd has fixed ports
                    "LD_LIBRARY_PATH": str(libraries),
                    "METRICS_PORT": str(self._health_port),
                    "MILVUS_RUN_DIR": str(self._folder / "run"),
                },
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                # An interrupt of the tests from the keyboard is not for it.
                start_new_session=True,
            )
        if ready:
            try:
                self.wait_until_ready()
            except BaseException:
                self.kill()
                raise

    def wait_until_ready(self, within_s: float = _READY_WITHIN_S) -> None:
        """Return when it says that all its parts are healthy."""
        gives_up = monotonic() + within_s
        while not self.is_ready():
            assert self._process.poll() is None, f"Milvus has ended: {self._end_of_log()}"
            assert monotonic() < gives_up, f"Milvus is not ready: {self._end_of_log()}"
            sleep(_LOOK_AGAIN_S)

    def has_ended(self) -> bool:
        """Whether its process has: it ends itself on a full disk, and when its sessions expired."""
        return self._process.poll() is not None

    def is_ready(self) -> bool:
        with suppress(OSError):
            address = f"http://127.0.0.1:{self._health_port}/healthz"
            with urllib.request.urlopen(address, timeout=5) as answer:
                return b"OK" in answer.read()
        return False

    def metrics(self) -> str:
        """What it shows to Prometheus."""
        address = f"http://127.0.0.1:{self._health_port}/metrics"
        with urllib.request.urlopen(address, timeout=5) as answer:
            return str(answer.read(), encoding="utf-8")

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut does."""
        self._process.kill()
        self._process.wait(timeout=_STOPS_WITHIN_S)

    def stop(self) -> None:
        """End it with SIGTERM, as an operator does; with SIGKILL where that takes long."""
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def freeze(self) -> None:
        pause(self.pid)

    def thaw(self) -> None:
        resume(self.pid)

    def remove(self) -> None:
        """End it and delete its folder, which has 100 MB and more."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_of_log(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]


@contextmanager
def milvus_server(
    folder: Path, settings: dict[str, object] | None = None
) -> Iterator[MilvusServer]:
    """A server of one's own, for tests that break it."""
    server = MilvusServer(folder, settings)
    try:
        yield server
    finally:
        server.remove()


_started: list[MilvusServer] = []


@contextmanager
def shared_milvus(folder: Path, settings: dict[str, object] | None = None) -> Iterator[str]:
    """The URI of a server that all processes with this folder share.

    The first one starts it; the last one ends it. Each holds a lock on a file as long as it uses
    the server, which the operating system takes from a process that dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        turn = stack.enter_context((folder / "turn").open("w"))
        users = stack.enter_context((folder / "users").open("w"))
        fcntl.flock(turn, fcntl.LOCK_EX)
        server = folder / "server"
        if not server.exists():
            started = MilvusServer(folder / "data", settings)
            _started.append(started)  # Python warns of a process that nothing refers to
            server.write_text(f"{started.pid} {started.uri}", encoding="ascii")
        pid, uri = server.read_text(encoding="ascii").split()
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(turn, fcntl.LOCK_UN)
        try:
            yield uri
        finally:
            fcntl.flock(turn, fcntl.LOCK_EX)
            with suppress(BlockingIOError):  # others use it still
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.kill(int(pid), signal.SIGKILL)
                server.unlink()
                shutil.rmtree(folder / "data", ignore_errors=True)


def _programs() -> Path:
    """The folder of the server's program and its libraries, which the package has compressed.

    Unpacking takes 10 s of CPU time, so it is done once for all tests of a user.
    """
    from milvus import _initialize_data_files  # noqa: PLC0415

    folder = Path(tempfile.gettempdir()) / f"milvus-{version('milvus')}-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.getuid(), f"{folder} is another user's"
    with (folder / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        _initialize_data_files(str(folder))
    return folder / "bin"


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [listener.getsockname()[1] for listener in listeners]
