"""The audit log by syslog: well-formed, each line at least once."""

import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action, Note
from app.gallery.journal.journal import note_in
from app.gallery.journal.line_follower import LineFollower
from app.gallery.journal.syslog_place import SyslogTarget, syslog_follower
from app.settings import AuditSettings
from tests.gallery.factories import enroll, unit_vector
from tests.gallery.journal.test_chain import lines_of, log_of
from tests.kit.certificates import write_certificate

_RFC_5424 = re.compile(
    rb"<(?P<priority>\d{1,3})>1 (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) "
    rb"(?P<host>[!-~]{1,255}) vultus - (?P<msgid>[!-~]{1,32}) - (?P<text>\{.*\})"
)
_WITHIN_S = 10.0

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Follow = Callable[..., LineFollower]


class Collector:
    """A collector on TCP that reads messages by their counts of octets."""

    def __init__(self, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(_WITHIN_S)
        self._connection: socket.socket | None = None
        self._read = b""
        self.port: int = self._listener.getsockname()[1]

    def accept(self) -> None:
        connection, _ = self._listener.accept()
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        connection.settimeout(_WITHIN_S)
        self._connection, self._read = connection, b""

    def message(self) -> bytes:
        while b" " not in self._read:
            self._more()
        count, _, rest = self._read.partition(b" ")
        self._read = rest
        while len(self._read) < int(count):
            self._more()
        message, self._read = self._read[: int(count)], self._read[int(count) :]
        return message

    def leave(self) -> None:
        for one in (self._connection, self._listener):
            if one is not None:
                one.close()

    def _more(self) -> None:
        assert self._connection is not None
        piece = self._connection.recv(65_536)
        assert piece, "the sender has closed the connection"
        self._read += piece


def ids_of(messages: list[bytes]) -> list[str]:
    return [line_in(message)["id"] for message in messages]


def line_in(message: bytes) -> dict[str, Any]:
    found = _RFC_5424.fullmatch(message)
    assert found is not None, message
    line: dict[str, Any] = json.loads(found["text"])
    assert found["msgid"].decode() == line["action"]
    assert found["at"].decode()[:19] == line["at"][:19]
    return line


def all_ids(gallery: Gallery) -> list[str]:
    return sorted(line.id for line in lines_of(gallery))


@pytest.fixture
def follower(gallery: Gallery) -> Iterator[Follow]:
    with ExitStack() as stack:

        def follow(url: str, folder: Path, **options: Path) -> LineFollower:
            target = SyslogTarget(url, **options)
            made = syslog_follower(gallery.store.database, target, folder)
            return stack.enter_context(closing(made))

        yield follow


@pytest.fixture
def datagrams() -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_WITHIN_S)
        yield receiver


def test_each_line_is_a_datagram_of_rfc_5424(
    gallery: Gallery, follower: Follow, datagrams: socket.socket, tmp_path: Path
) -> None:
    enroll(gallery, unit_vector(1))
    copy = follower(f"udp://127.0.0.1:{datagrams.getsockname()[1]}", tmp_path)
    count = copy.follow()
    messages = [datagrams.recv(65_535) for _ in range(count)]
    assert sorted(ids_of(messages)) == all_ids(gallery)
    assert all(message.startswith(b"<110>1 ") for message in messages)  # log audit, informational
    assert copy.follow() == 0


def test_a_line_that_fits_no_datagram_is_sent_without_its_details(
    gallery: Gallery, follower: Follow, datagrams: socket.socket, tmp_path: Path
) -> None:
    copy = follower(f"udp://127.0.0.1:{datagrams.getsockname()[1]}", tmp_path)
    for _ in range(copy.follow()):
        datagrams.recv(65_535)
    with gallery.store.database.writing() as session:
        note_in(session, Note(Action.FACE_ADDED, 1, details={"face_ids": ["f" * 32] * 3_000}))
        gallery.store.database.journal.write(session)
    assert copy.follow() == 1
    line = line_in(datagrams.recv(65_535))
    assert line["details"] == {"omitted": True}
    assert line["mac"] == lines_of(gallery)[-1].mac


def test_the_socket_of_the_machine_has_lines_as_its_daemon_reads_them(
    gallery: Gallery, follower: Follow, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(_WITHIN_S)
        count = follower(f"unix:{path}", tmp_path).follow()
        texts = [receiver.recv(65_535) for _ in range(count)]
    assert all(text.startswith(b"<110>vultus: {") for text in texts)
    assert sorted(json.loads(text.partition(b": ")[2])["id"] for text in texts) == all_ids(gallery)


def test_a_collector_that_is_away_has_all_lines_later(
    gallery: Gallery, follower: Follow, tmp_path: Path
) -> None:
    first = Collector()
    copy = follower(f"tcp://127.0.0.1:{first.port}", tmp_path)
    count = copy.follow()
    first.accept()
    received = ids_of([first.message() for _ in range(count)])
    first.leave()
    enroll(gallery, unit_vector(1))
    with capture_logs() as logs:
        assert [copy.follow() for _ in range(3)] == [0, 0, 0]
    away = [log for log in logs if log["event"] == "audit_copy_away"]
    assert len(away) == 1
    assert copy.is_away
    assert copy.behind >= 1
    second = Collector(port=first.port)
    with capture_logs() as logs:
        count = copy.follow()
    second.accept()
    received += ids_of([second.message() for _ in range(count)])
    second.leave()
    assert sorted(set(received)) == all_ids(gallery)
    # Those of before may not have been kept by the collector that left.
    assert len(received) > len(set(received))
    assert [log["event"] for log in logs] == ["audit_copy_back"]
    assert (copy.is_away, copy.behind) == (False, 0)


def test_another_process_goes_on_from_the_position(
    gallery: Gallery, follower: Follow, datagrams: socket.socket, tmp_path: Path
) -> None:
    url = f"udp://127.0.0.1:{datagrams.getsockname()[1]}"
    follower(url, tmp_path).follow()
    enroll(gallery, unit_vector(1))
    assert follower(url, tmp_path).follow() == 1


def test_lines_that_the_retention_deleted_before_they_were_sent_are_logged(
    gallery: Gallery, follower: Follow, tmp_path: Path
) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as receiver:
        receiver.bind(("127.0.0.1", 0))
        copy = follower(f"udp://127.0.0.1:{receiver.getsockname()[1]}", tmp_path)
        copy.follow()
        for seed in range(3):
            enroll(gallery, unit_vector(seed + 1))
        log_of(gallery).prune_before(lines_of(gallery)[-1].at)
        with capture_logs() as logs:
            copy.follow()
    (lost,) = [log for log in logs if log["event"] == "audit_copy_incomplete"]
    assert lost["lines_deleted_before"] == 2


def test_tls_names_both_sides_and_refuses_a_collector_of_another(
    gallery: Gallery, follower: Follow, tmp_path: Path
) -> None:
    certificate, key = write_certificate(tmp_path / "collector")
    other, _ = write_certificate(tmp_path / "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    collector = Collector(context)
    url = f"tls://127.0.0.1:{collector.port}"
    own = {"certificate": certificate, "key": key}
    with ThreadPoolExecutor(1) as pool:
        accepting = pool.submit(collector.accept)
        refused = follower(url, tmp_path / "refused", ca=other, **own)
        assert refused.follow() == 0
        assert refused.is_away
        with pytest.raises(ssl.SSLError):
            accepting.result(_WITHIN_S)
        accepting = pool.submit(collector.accept)
        count = follower(url, tmp_path, ca=certificate, **own).follow()
        accepting.result(_WITHIN_S)
        assert sorted(ids_of([collector.message() for _ in range(count)])) == all_ids(gallery)
    collector.leave()


@pytest.mark.usefixtures("database_url")
def test_settings_name_a_place_that_can_be_reached() -> None:
    read: Callable[[str], str | None] = lambda url: AuditSettings(syslog=url).syslog  # noqa: E731
    assert read("udp://siem") == "udp://siem:514"
    assert read("tls://[2001:db8::1]:7000") == "tls://[2001:db8::1]:7000"
    assert read("unix:/dev/log") == "unix:/dev/log"
    assert read("") is None
    for wrong in ("siem:514", "http://siem", "udp://", "unix:dev/log", "tcp://siem/path"):
        with pytest.raises(ValidationError, match="udp://HOST:PORT"):
            read(wrong)
