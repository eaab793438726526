"""A download survives interruptions, costs what is missing, and believes no server."""

import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.errors import FileNotAsPinned, SourceUnavailable
from app.operations.fetching.download import Download, Patience, download
from tests.kit.weights_server import WeightsServer, serving

CONTENT = bytes(range(256)) * 400
PATH = "/file.onnx"
AT_ONCE = Patience(connect_s=5, silence_s=5, pauses_s=(0, 0, 0))


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with serving() as started:
        started.behaviour.files[PATH] = CONTENT
        yield started


def _wanted(server: WeightsServer, path: str = PATH, size: int | None = len(CONTENT)) -> Download:
    return Download(server.url + path, size, 10_000_000, AT_ONCE)


class _Heard:
    """The reports of a download."""

    def __init__(self) -> None:
        self.progress: list[tuple[int, int | None]] = []
        self.retries: list[str] = []

    def on_progress(self, done: int, total: int | None) -> None:
        self.progress.append((done, total))

    def on_retry(self, reason: str, _: float) -> None:
        self.retries.append(reason)


def _get(wanted: Download, partial: Path) -> _Heard:
    heard = _Heard()
    download(wanted, partial, heard.on_progress, heard.on_retry)
    return heard


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    return tmp_path / "file.part"


def test_a_whole_file_arrives_with_its_progress(server: WeightsServer, partial: Path) -> None:
    heard = _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT
    assert heard.progress[0] == (0, len(CONTENT))
    assert heard.progress[-1] == (len(CONTENT), len(CONTENT))
    assert heard.retries == []


def test_a_cut_in_the_middle_costs_only_the_rest(server: WeightsServer, partial: Path) -> None:
    server.behaviour.cuts = [60_000]
    heard = _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT
    first, second = server.behaviour.answered
    assert (first.sent, second.range, second.if_range) == (60_000, "bytes=60000-", '"first"')
    assert (second.status, server.behaviour.sent()) == (206, len(CONTENT))
    assert heard.retries == ["the connection ended early"]


def test_a_later_run_goes_on_where_an_earlier_one_ended(
    server: WeightsServer, partial: Path
) -> None:
    server.behaviour.cuts = [10_000, 0, 0, 0]
    with pytest.raises(SourceUnavailable, match="ended early"):
        _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT[:10_000]
    before = server.behaviour.sent()
    _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT
    assert server.behaviour.sent() - before == len(CONTENT) - 10_000


def test_as_long_as_each_attempt_brings_something_it_goes_on(
    server: WeightsServer, partial: Path
) -> None:
    server.behaviour.cuts = [10_000] * 9
    heard = _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT
    assert len(heard.retries) == 9


def test_a_server_without_ranges_begins_again(server: WeightsServer, partial: Path) -> None:
    server.behaviour.ranges = False
    server.behaviour.cuts = [60_000]
    _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT
    assert server.behaviour.sent() == 60_000 + len(CONTENT)


def test_another_version_on_the_server_begins_again(server: WeightsServer, partial: Path) -> None:
    server.behaviour.cuts = [60_000, 0, 0, 0]
    with pytest.raises(SourceUnavailable):
        _get(_wanted(server), partial)
    newer = bytes(reversed(CONTENT))
    server.behaviour.files[PATH], server.behaviour.etag = newer, '"second"'
    _get(_wanted(server), partial)
    assert partial.read_bytes() == newer


def test_a_weak_etag_is_no_validator(server: WeightsServer, partial: Path) -> None:
    server.behaviour.etag = 'W/"first"'
    server.behaviour.cuts = [60_000]
    _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT
    assert server.behaviour.answered[1].if_range is None


def test_a_part_of_another_address_is_not_continued(server: WeightsServer, partial: Path) -> None:
    server.behaviour.files["/other"] = bytes(reversed(CONTENT))
    server.behaviour.cuts = [60_000, 0, 0, 0]
    with pytest.raises(SourceUnavailable):
        _get(_wanted(server), partial)
    _get(_wanted(server, "/other"), partial)
    assert partial.read_bytes() == server.behaviour.files["/other"]
    assert server.behaviour.answered[-1].range is None


def test_a_part_that_is_longer_than_the_file_begins_again(
    server: WeightsServer, partial: Path
) -> None:
    server.behaviour.cuts = [60_000, 0, 0, 0]
    with pytest.raises(SourceUnavailable):
        _get(_wanted(server, size=None), partial)
    server.behaviour.files[PATH] = CONTENT[:50_000]
    heard = _get(_wanted(server, size=None), partial)
    assert partial.read_bytes() == CONTENT[:50_000]
    assert heard.retries == ["what was here is no part of the file"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(server: WeightsServer, partial: Path, status: int) -> None:
    server.behaviour.statuses = [status, status]
    heard = _get(_wanted(server), partial)
    assert partial.read_bytes() == CONTENT
    assert heard.retries == [f"the server answers {status}"] * 2


@pytest.mark.parametrize(
    ("retry_after", "least_s", "most_s"),
    [
        ("7", 7, 7),
        (format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), 60, 60),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0),
        ("soon", 0, 0),
    ],
    ids=["seconds", "tomorrow", "past", "no time"],
)
def test_a_server_is_given_the_time_that_it_asks_for_up_to_a_minute(
    server: WeightsServer,
    partial: Path,
    monkeypatch: pytest.MonkeyPatch,
    retry_after: str,
    least_s: float,
    most_s: float,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    server.behaviour.statuses, server.behaviour.retry_after = [503], retry_after
    _get(_wanted(server), partial)
    (wait,) = waits
    assert least_s <= wait <= most_s


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_ends_at_once(server: WeightsServer, partial: Path, status: int) -> None:
    server.behaviour.statuses = [status]
    with pytest.raises(SourceUnavailable, match=f"answers {status}"):
        _get(_wanted(server), partial)
    assert len(server.behaviour.answered) == 1


@pytest.mark.parametrize("says_length", [True, False])
def test_a_file_of_another_size_is_not_kept(
    server: WeightsServer, partial: Path, says_length: bool
) -> None:
    server.behaviour.says_length = says_length
    with pytest.raises(FileNotAsPinned, match="another file"):
        _get(_wanted(server, size=len(CONTENT) - 1), partial)
    assert not partial.exists() or partial.stat().st_size == 0


def test_without_a_known_size_a_bound_holds(server: WeightsServer, partial: Path) -> None:
    server.behaviour.says_length = False
    with pytest.raises(FileNotAsPinned, match="more than 1000 bytes"):
        _get(Download(server.url + PATH, None, 1_000, AT_ONCE), partial)


def test_redirects_are_followed_with_the_range(server: WeightsServer, partial: Path) -> None:
    server.behaviour.redirects["/moved"] = PATH
    server.behaviour.cuts = [60_000]
    _get(_wanted(server, "/moved"), partial)
    assert partial.read_bytes() == CONTENT
    assert server.behaviour.sent() == len(CONTENT)


def test_redirects_in_a_circle_end(server: WeightsServer, partial: Path) -> None:
    server.behaviour.redirects["/a"] = "/a"
    with pytest.raises(SourceUnavailable, match="redirects more than 10 times"):
        _get(_wanted(server, "/a"), partial)


def test_a_silent_server_is_given_up(server: WeightsServer, partial: Path) -> None:
    server.behaviour.hold = Event()
    patience = Patience(connect_s=5, silence_s=0.1, pauses_s=())
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1"):
        _get(Download(server.url + PATH, len(CONTENT), 10_000_000, patience), partial)
    server.behaviour.hold.set()
    assert partial.read_bytes() == CONTENT[:-1]


def test_no_server_is_an_error_without_the_password(partial: Path) -> None:
    wanted = Download("http://user:secret@127.0.0.1:9/x", 1, 1, AT_ONCE)
    with pytest.raises(SourceUnavailable, match="no connection") as raised:
        _get(wanted, partial)
    assert "secret" not in str(raised.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secure_server(certificate: Path) -> Iterator[WeightsServer]:
    def context() -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(certificate)
        return made

    with serving(context) as started:
        started.behaviour.files[PATH] = CONTENT
        yield started


def test_a_certificate_that_is_not_trusted_ends_it(
    secure_server: WeightsServer, partial: Path
) -> None:
    with pytest.raises(SourceUnavailable, match="certificate of https://127"):
        _get(_wanted(secure_server), partial)


def test_https_redirects_to_https_alone(
    secure_server: WeightsServer,
    server: WeightsServer,
    certificate: Path,
    partial: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    secure_server.behaviour.redirects = {"/same": PATH, "/plain": server.url + PATH}
    with pytest.raises(SourceUnavailable, match="not https"):
        _get(_wanted(secure_server, "/plain"), partial)
    assert server.behaviour.answered == []
    _get(_wanted(secure_server, "/same"), partial)
    assert partial.read_bytes() == CONTENT
