"""A key that one process makes or revokes counts in all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import httpx2
from typer.testing import CliRunner

from app.cli.main import cli
from tests.kit.paused_processes import pause, resume
from tests.kit.server import ServerProcess, running

_WITHIN_S = 30  # on a busy machine; it takes a twentieth of a second


@contextmanager
def _only(worker: int, server: ServerProcess) -> Iterator[None]:
    (other,) = (one for one in server.worker_ids if one != worker)
    pause(other)
    try:
        yield
    finally:
        resume(other)


def _wait_for_status(server: ServerProcess, key: str, status: int) -> str:
    """Ask who the caller is until this is the status; return the code of the problem, if any."""
    due = monotonic() + _WITHIN_S
    while True:
        answer = httpx2.get(f"{server.url}/v1/me", headers={"x-api-key": key}, timeout=_WITHIN_S)
        if answer.status_code == status:
            code: str = answer.json().get("code", "")
            return code
        assert monotonic() < due, answer.text


def test_a_key_is_known_and_a_revoked_one_refused_in_every_process(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as server:
        first, second = server.worker_ids
        assert httpx2.get(f"{server.url}/v1/me", timeout=_WITHIN_S).status_code == 200
        environment = {"VULTUS_DATA_DIR": str(server.data_dir), "VULTUS_DEVICE": "cpu"}
        added = CliRunner().invoke(cli, ["keys", "add", "boss", "--role", "admin"], env=environment)
        assert added.exit_code == 0, added.output
        text = added.stdout.strip()
        key_id = text.split("_")[1]
        for worker in (first, second):
            with _only(worker, server):
                _wait_for_status(server, text, 200)
                assert _wait_for_status(server, "", 401) == "unauthorized"
        with _only(first, server):
            revoked = httpx2.delete(
                f"{server.url}/v1/keys/{key_id}", headers={"x-api-key": text}, timeout=_WITHIN_S
            )
            assert revoked.status_code == 200, revoked.text
        for worker in (first, second):
            with _only(worker, server):
                assert _wait_for_status(server, text, 401) == "key_revoked"
