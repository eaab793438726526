"""Several server processes on one address are one service: `vultus serve --workers 2`.

Which of them answers a new connection is the kernel's choice, so where it matters the others are
stopped meanwhile.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import torch
import typer
import uvicorn
from facenet_pytorch import InceptionResnetV1
from uvicorn.supervisors import multiprocess

from app.cli.serve.serve import _try_to_start
from app.cli.serve.server_processes import _ServerProcess, _Supervisor, run_processes
from app.settings import Settings
from tests.api.people import JSON_LINES, Values, embedding, lines
from tests.kit.paused_processes import pause, resume
from tests.kit.programs import VULTUS
from tests.kit.server import ExecutableServer, ServerProcess

COLLECTION = "/v1/collections/default"
_TIMEOUT_S = 60
_SUPERVISOR_LOOKS_EVERY_S = 1.0
_SUPERVISOR_WAITS_S = 100  # or more, for a worker that hangs


def _parent_of(process: int) -> int:
    stat = Path(f"/proc/{process}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


@contextmanager
def _only(worker: int, server: ServerProcess) -> Iterator[None]:
    """Requests are answered by this worker."""
    others = [other for other in server.worker_ids if other != worker]
    for other in others:
        pause(other)
    try:
        yield
    finally:
        for other in others:
            with suppress(ProcessLookupError):  # killed meanwhile, and gone by now
                resume(other)


def _enroll(server: ServerProcess, person: Values) -> tuple[str, int]:
    """Their id, and the revision."""
    response = httpx2.post(
        f"{server.url}{COLLECTION}/identities:batch",
        content=lines({"embeddings": [person]}),
        headers=JSON_LINES,
        timeout=_TIMEOUT_S,
    )
    body = response.json()
    assert body["status"] == "enrolled", body
    return body["identity_id"], body["revision"]


def _delete(server: ServerProcess, identity: str) -> int:
    url = f"{server.url}{COLLECTION}/identities/{identity}"
    revision: int = httpx2.delete(url, timeout=_TIMEOUT_S).json()["revision"]
    return revision


def _found(server: ServerProcess, person: Values, revision: int) -> str | None:
    """Id of the person that matches, asked for over a new connection."""
    body: dict[str, Any] = {"embedding": person, "min_revision": revision}
    response = httpx2.post(f"{server.url}{COLLECTION}/search", json=body, timeout=_TIMEOUT_S)
    assert response.status_code == 200, response.text
    identity = response.json()["identity"]
    return None if identity is None else str(identity["id"])


def _what_one_did_the_other_knows(server: ServerProcess) -> None:
    one, two = server.worker_ids
    for seed, (writer, reader) in enumerate(((one, two), (two, one))):
        person = embedding(1_000 + seed)
        with _only(writer, server):
            identity, enrolled = _enroll(server, person)
        with _only(reader, server):
            assert _found(server, person, enrolled) == identity
            deleted = _delete(server, identity)
        with _only(writer, server):
            assert _found(server, person, deleted) is None


def test_what_one_worker_did_the_other_knows(server: ServerProcess) -> None:
    _what_one_did_the_other_knows(server)


def test_workers_take_the_embedder_that_was_chosen_once(server: ServerProcess) -> None:
    chosen = [line for line in server.entries if line["event"] == "embedder_chosen"]
    ready = [line for line in server.entries if line["event"] == "ready"]
    assert len(chosen) == 1
    assert {(line["embedder"], line["chosen_by"]) for line in ready} == {
        (chosen[0]["embedder"], "auto")
    }


def test_answers_are_never_older_than_the_revision_asked_for(server: ServerProcess) -> None:
    def come_and_go(seed: int) -> None:
        for turn in range(8):
            person = embedding(100 * seed + turn)
            identity, enrolled = _enroll(server, person)
            assert _found(server, person, enrolled) == identity
            assert _found(server, person, _delete(server, identity)) is None

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, range(4)))
    for worker in server.worker_ids:
        with _only(worker, server):
            metrics = httpx2.get(f"{server.url}/metrics", timeout=_TIMEOUT_S).text
        counts = re.findall(r'requests_total\{.*/search",status="200"\} (\d+)', metrics)
        assert [int(count) > 0 for count in counts] == [True], "both have answered"


def test_killed_worker_is_replaced_at_once_and_the_service_goes_on(server: ServerProcess) -> None:
    """The killed worker hung before, and the supervisor waited for it."""
    person = embedding(2_000)
    identity, revision = _enroll(server, person)
    killed, other = server.worker_ids
    with _only(other, server):
        hung = monotonic()
        while monotonic() < hung + _SUPERVISOR_LOOKS_EVERY_S:
            assert _found(server, person, revision) == identity
        os.kill(killed, signal.SIGKILL)
        assert _found(server, person, revision) == identity
    server.wait_for("ready", count=3)
    assert monotonic() - hung < _SUPERVISOR_WAITS_S
    _, replacement = server.worker_ids
    with _only(replacement, server):
        assert _found(server, person, revision) == identity
        deleted = _delete(server, identity)
    assert _found(server, person, deleted) is None


def test_each_worker_limits_what_a_connection_may_send(server: ServerProcess) -> None:
    address = urlsplit(server.url)
    for worker in server.worker_ids:
        with (
            _only(worker, server),
            socket.create_connection((address.hostname, address.port), _TIMEOUT_S) as connection,
        ):
            connection.sendall(b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * 1_000)
            assert connection.recv(12) == b"HTTP/1.1 431"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_workers_share_a_gallery_on_postgresql_and_end_cleanly(
    tmp_path: Path, database_url: str
) -> None:
    """The executable, whose processes are started as users' are."""
    with closing(ExecutableServer(tmp_path, workers=2, VULTUS_DATABASE_URL=database_url)) as server:
        _what_one_did_the_other_knows(server)
        if sys.platform == "linux":  # forks of one process, which share its memory
            (original,) = {_parent_of(worker) for worker in server.worker_ids}
            assert _parent_of(original) == server.process_id
        assert server.stop() == 0
        assert server.events.count("Application shutdown complete.") == 2
        assert not [line for line in server.log if "Traceback" in line or '"error"' in line]


def test_wrong_setting_ends_all_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [VULTUS, "serve", "--workers", "2", "--port", "0"],
        env={
            "PATH": "/usr/bin:/bin",
            "VULTUS_DATA_DIR": str(tmp_path),
            "VULTUS_DEVICE": "cpu",
            "VULTUS_EMBEDDER": "nonsense",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("startup_failed: ")
    assert "dlib-resnet" in line


def test_network_that_does_not_work_is_found_before_any_worker_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = {
        name: torch.full_like(values, torch.nan) if values.is_floating_point() else values
        for name, values in InceptionResnetV1(pretrained=None).state_dict().items()
    }
    torch.save(weights, tmp_path / "facenet.pt")
    settings = Settings(
        data_dir=tmp_path,
        device="cpu",
        embedder="facenet-vggface2",
        weights_path=tmp_path / "facenet.pt",
    )
    with pytest.raises(SystemExit, match="1"):
        _try_to_start(settings)
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "startup_failed" in line]
    assert "facenet-vggface2 does not work" in line


def test_service_whose_workers_cannot_start_does_not_end_as_if_all_were_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(_: _Supervisor) -> None:
        worker = multiprocess.Process(uvicorn.Config("nowhere:app"), [])
        monkeypatch.setattr(worker, "process", SimpleNamespace(exitcode=3, pid=1, join=list))
        worker.join()

    monkeypatch.setattr(_ServerProcess, "did_not_start", False)
    monkeypatch.setattr(multiprocess, "Process", multiprocess.Process)
    monkeypatch.setattr(_Supervisor, "run", run)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(typer.Exit) as ended:
        run_processes(2, lambda _: None, port=0)
    assert ended.value.exit_code == 1
