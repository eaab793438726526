"""A real server process: what it acknowledged survives, what it deleted does not come back."""

import gc
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from app.main import create_app, create_server_app
from app.settings import Settings
from models.zoo.names import DEFAULT_NETWORK
from tests.kit import photos
from tests.kit.forked_vultus import run_vultus
from tests.kit.garbage import pass_over_what_was_imported
from tests.kit.second_network import SECOND, add_second_network
from tests.kit.server import ExecutableServer, ServerProcess, running

IDENTITIES = "/v1/collections/default/identities"
IDENTIFY = "/v1/collections/default/identify"


def _enroll(url: str, name: str, photo: bytes) -> str:
    response = httpx2.post(
        url + IDENTITIES, data={"name": name}, files={"images": photo}, timeout=60
    )
    assert response.status_code == 201, response.text
    identity: str = response.json()["identity"]["id"]
    return identity


def _who(url: str, photo: bytes) -> str | None:
    return _named(httpx2.post(url + IDENTIFY, files={"image": photo}, timeout=60).json())


def _named(answer: dict[str, Any]) -> str | None:
    """The name of the one face."""
    (face,) = answer["faces"]
    name: str | None = face["identity"] and face["identity"]["name"]
    return name


@contextmanager
def _stalled_upload(url: str) -> Iterator[socket.socket]:
    """A connection on which a part of a body was sent, and no more."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(
            f"POST {IDENTIFY} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n"
            'content-length: 500000\r\n\r\n{"image": "'.encode("ascii")
        )
        # Answered after it was sent, on a connection of its own: the upload is being read by then.
        assert httpx2.get(f"{url}/healthz", timeout=60).status_code == 200
        yield connection


def test_gallery_survives_the_end_of_the_process(tmp_path: Path) -> None:
    """First it is killed, then stopped: it ends cleanly and answers the upload in progress."""
    eileen, grace = photos.encoded(photos.astronaut()), photos.encoded(photos.hopper())

    def come_and_go(url: str) -> None:
        removed = _enroll(url, "Grace", grace)
        assert _who(url, grace) == "Grace"
        assert httpx2.delete(f"{url}{IDENTITIES}/{removed}", timeout=60).status_code == 200

    with running(tmp_path) as server:
        assert httpx2.get(f"{server.url}/readyz", timeout=60).json() == {"status": "ready"}
        _enroll(server.url, "Eileen", eileen)
        come_and_go(server.url)
        server.kill()
    with running(tmp_path) as server:
        assert _who(server.url, eileen) == "Eileen"
        assert _who(server.url, grace) is None
        come_and_go(server.url)
        with _stalled_upload(server.url) as upload:
            assert server.stop() in (0, -15)
            answer = b"".join(iter(lambda: upload.recv(65_536), b""))
        assert b'"code":"stopping"' in answer
        assert not [line for line in server.log if "Traceback" in line]
    with TestClient(create_app(Settings(data_dir=tmp_path, device="cpu"))) as client:
        assert _named(client.post(IDENTIFY, files={"image": eileen}).json()) == "Eileen"
        assert _named(client.post(IDENTIFY, files={"image": grace}).json()) is None


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The executable, open to the network, and with a setting that there is not."""
    with closing(
        ExecutableServer(
            tmp_path_factory.mktemp("mistaken"),
            VULTUS_DEVISE="cpu",
            VULTUS_HOST="0.0.0.0",  # noqa: S104
            VULTUS_OPEN_TO_ALL="true",
            FORWARDED_ALLOW_IPS="*",
        )
    ) as started:
        yield started


def test_likely_mistakes_are_warned_of(mistaken: ServerProcess) -> None:
    warned = [line for line in mistaken.log if '"warning"' in line]
    assert any("VULTUS_DEVISE" in line for line in warned)
    assert any("VULTUS_API_KEYS" in line for line in warned)
    assert any("VULTUS_TRUSTED_PROXIES" in line for line in warned)


def test_database_is_for_the_services_user_alone(mistaken: ServerProcess) -> None:
    assert (mistaken.data_dir / "vultus.db").stat().st_mode & 0o077 == 0


def test_two_processes_share_one_gallery(tmp_path: Path) -> None:
    """One finds what the other acknowledged, and does not find what the other removed."""
    eileen = photos.encoded(photos.astronaut())
    settings = Settings(data_dir=tmp_path, device="cpu")
    with running(tmp_path) as other, TestClient(create_app(settings)) as here:
        identity = _enroll(other.url, "Eileen", eileen)
        assert _named(here.post(IDENTIFY, files={"image": eileen}).json()) == "Eileen"
        assert here.delete(f"{IDENTITIES}/{identity}").status_code == 200
        assert _who(other.url, eileen) is None


def test_the_garbage_collector_passes_over_what_a_start_leaves(tmp_path: Path) -> None:
    """A collection of all objects takes 0.1 s or more, in which no request is answered."""
    gc.unfreeze()  # what the tests left out
    try:
        with TestClient(create_server_app(Settings(data_dir=tmp_path, device="cpu"))):
            assert gc.get_freeze_count() > 10 * len(gc.get_objects())
    finally:
        pass_over_what_was_imported()


def test_another_embedder_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, device="cpu")
    with TestClient(create_app(settings)) as client:
        eileen = {"images": photos.encoded(photos.astronaut())}
        assert client.post(IDENTITIES, files=eileen).status_code == 201
    add_second_network(tmp_path / "weights")
    done = run_vultus(
        "serve",
        "--port",
        "0",
        env={
            "PATH": "/usr/bin:/bin",
            "VULTUS_DATA_DIR": str(tmp_path),
            "VULTUS_EMBEDDER": SECOND,
            "VULTUS_DEVICE": "cpu",
        },
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert f"VULTUS_EMBEDDER={DEFAULT_NETWORK}" in done.stderr
    assert "Traceback" not in done.stderr
