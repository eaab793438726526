"""`vultus serve --tls-cert --tls-key`: https alone, with one process and with several."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.kit import photos
from tests.kit.certificates import ClientFiles, write_certificate, write_client
from tests.kit.forked_vultus import run_vultus
from tests.kit.server import ServerProcess, running

_TIMEOUT_S = 60
_DOCKERFILE = Path(__file__).parents[2] / "Dockerfile"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", params=[1, 2])
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    files: tuple[Path, Path],
) -> Iterator[ServerProcess]:
    certificate, key = map(str, files)
    folder = tmp_path_factory.mktemp("https")
    with running(
        folder, "--tls-cert", certificate, workers=request.param, VULTUS_TLS__KEY=key
    ) as started:
        yield started


@pytest.fixture
def client(server: ServerProcess, files: tuple[Path, Path]) -> Iterator[httpx2.Client]:
    """A client that trusts this certificate alone, and checks the name in it."""
    context = ssl.create_default_context(cafile=files[0])
    with httpx2.Client(base_url=server.url, verify=context, timeout=_TIMEOUT_S) as opened:
        yield opened


def test_requests_are_answered_over_tls(server: ServerProcess, client: httpx2.Client) -> None:
    assert server.url.startswith("https://127.0.0.1:")
    photo = photos.encoded(photos.hopper())
    found = client.post("/v1/detect", files={"image": photo}).raise_for_status()
    assert len(found.json()["faces"]) == 1
    with pytest.raises(httpx2.TransportError):
        httpx2.get(server.url.replace("https", "http"), timeout=_TIMEOUT_S)


def test_address_of_the_console_is_printed_once_and_can_be_opened(
    server: ServerProcess, client: httpx2.Client
) -> None:
    address = server.wait_for_line("console: ").removeprefix("console: ")
    assert address == f"{server.url}/console/"
    assert client.get(address).headers["content-type"] == "text/html; charset=utf-8"
    assert [line for line in server.printed if "console" in line] == [f"console: {address}"]


def test_limits_of_connections_hold_over_tls(client: httpx2.Client) -> None:
    refused = client.get("/healthz", headers={"x-long": "x" * 100_000})
    assert (refused.status_code, refused.json()["code"]) == (431, "headers_too_large")


def test_top_trusts_the_certificate_of_this_machine(
    server: ServerProcess, files: tuple[Path, Path]
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VULTUS_")}
    environment |= {
        "COLUMNS": "120",
        "VULTUS_PORT": server.url.rsplit(":", 1)[1],
        "VULTUS_TLS__CERT": str(files[0]),
    }
    shown = run_vultus("top", "--once", env=environment)
    assert shown.returncode == 0, shown.stderr
    assert server.url in shown.stdout


def test_health_check_of_the_image_asks_over_tls(
    server: ServerProcess, files: tuple[Path, Path]
) -> None:
    dockerfile = _DOCKERFILE.read_text(encoding="utf-8")
    (arguments,) = re.findall(r"HEALTHCHECK .*\\\n\s+CMD (\[.*\])\n", dockerfile)
    port = server.url.rsplit(":", 1)[1]
    environment = {**os.environ, "VULTUS_PORT": port, "VULTUS_TLS__CERT": str(files[0])}
    command = [sys.executable, *json.loads(arguments)[1:]]
    subprocess.run(command, env=environment, timeout=_TIMEOUT_S, check=True)


def test_renewed_certificate_serves_new_connections_and_a_broken_one_does_not(
    server: ServerProcess, files: tuple[Path, Path]
) -> None:
    """In every process, without a restart. It is the last test, as the certificate is another."""
    certificate, key = files
    processes = len(server.worker_ids)
    before = ssl.create_default_context(cafile=certificate)
    write_certificate(certificate.parent)
    server.wait_for("certificate_renewed", count=processes)
    for _ in range(4):  # of any process
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"{server.url}/healthz", verify=before, timeout=_TIMEOUT_S)
    now = ssl.create_default_context(cafile=certificate)
    broken = len([event for event in server.events if event == "certificate_unusable"])
    good = key.read_bytes()
    key.write_text("no key")
    server.wait_for("certificate_unusable", count=broken + processes)
    for _ in range(4):
        assert httpx2.get(f"{server.url}/healthz", verify=now, timeout=_TIMEOUT_S).is_success
    key.write_bytes(good)
    server.wait_for("certificate_renewed", count=2 * processes)


@pytest.mark.parametrize("demand", ["required", "optional"])
def test_clients_prove_who_they_are_by_a_certificate(tmp_path: Path, demand: str) -> None:
    certificate, key = write_certificate(tmp_path / "server")
    known, stranger = write_client(tmp_path / "known"), write_client(tmp_path / "stranger")

    def ask(server: ServerProcess, client: ClientFiles | None) -> int:
        context = ssl.create_default_context(cafile=certificate)
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        return httpx2.get(f"{server.url}/healthz", verify=context, timeout=_TIMEOUT_S).status_code

    with running(
        tmp_path,
        VULTUS_TLS__CERT=str(certificate),
        VULTUS_TLS__KEY=str(key),
        VULTUS_TLS__CLIENT_CA=str(known.authority),
        VULTUS_TLS__CLIENT_CERTS=demand,
    ) as server:
        assert ask(server, known) == 200
        with pytest.raises(httpx2.TransportError):
            ask(server, stranger)
        if demand == "optional":
            assert ask(server, None) == 200
        else:
            with pytest.raises(httpx2.TransportError):
                ask(server, None)
        # TLS 1.2, in which a session is there at the end of the handshake.
        resuming = ssl.create_default_context(cafile=certificate)
        resuming.maximum_version = ssl.TLSVersion.TLSv1_2
        resuming.load_cert_chain(known.certificate, known.key)
        session, _ = _shake_hands(server, resuming, None)
        assert _shake_hands(server, resuming, session)[1]
        # The authority is taken out, and another one is trusted.
        known.authority.write_bytes(stranger.authority.read_bytes())
        server.wait_for("certificate_renewed")
        assert ask(server, stranger) == 200
        with pytest.raises(httpx2.TransportError):
            ask(server, known)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _shake_hands(server, resuming, session)
        known.authority.write_text("no certificate")
        server.wait_for("certificate_unusable")
        assert ask(server, stranger) == 200
        with pytest.raises(httpx2.TransportError):
            ask(server, known)


def _shake_hands(
    server: ServerProcess, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool | None]:
    """Return the session of a connection, and whether it is the given one."""
    address = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    with (
        socket.create_connection(address, timeout=_TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as shaken,
    ):
        return shaken.session, shaken.session_reused
