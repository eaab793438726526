"""Deliver lines of the audit log by syslog: UDP, TCP, TLS, or the socket of this machine."""

import fcntl
import socket
import ssl
import struct
import termios
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

from app.gallery.journal.chain import Line
from app.gallery.journal.line_follower import LineFollower
from app.gallery.journal.syslog_messages import (
    framed,
    hostname,
    local_message_of,
    message_of,
    without_details,
)
from app.gallery.store.database import Database

_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.005
_LONGEST_DATAGRAM = 60_000


@dataclass(frozen=True, slots=True)
class SyslogTarget:
    """`url`: `udp://host:port`, `tcp://...`, `tls://...`, or `unix:/dev/log`.

    `ca` are the certificates that a TLS collector's must follow from; None: those of the system.
    `certificate` and `key` are shown to it.
    """

    url: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Syslog:
    """A place of lines. A connection is kept; after a failure, it is made anew."""

    name = "syslog"
    again_s = 10.0  # a collector that ends may have received lines that it did not keep

    def __init__(self, target: SyslogTarget) -> None:
        self._target = target
        parts = urlsplit(target.url)
        self._scheme = parts.scheme
        self._path = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port or 0
        self._socket: socket.socket | None = None
        self._hostname = hostname()

    @property
    def _is_stream(self) -> bool:
        return self._scheme in ("tcp", "tls")

    def require_there(self) -> None:
        """Raises ConnectionError when the other side has closed the connection."""
        if self._socket is None or not self._is_stream:
            return
        try:
            self._socket.setblocking(False)
            with suppress(BlockingIOError, ssl.SSLWantReadError):
                if not self._socket.recv(4_096):
                    raise ConnectionResetError("the collector has closed the connection")
            self._socket.settimeout(_WITHIN_S)
        except OSError:
            self.close()
            raise

    def deliver(self, lines: Sequence[Line]) -> None:
        try:
            connection = self._socket = self._socket or self._connect()
            if self._is_stream:
                messages = (framed(self._message(line)) for line in lines)
                connection.sendall(b"".join(messages))
                _wait_acknowledged(connection)
                return
            for line in lines:
                connection.send(self._datagram(line))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _message(self, line: Line) -> bytes:
        if self._scheme == "unix":
            return local_message_of(line)
        return message_of(line, hostname=self._hostname)

    def _datagram(self, line: Line) -> bytes:
        message = self._message(line)
        whole = len(message) <= _LONGEST_DATAGRAM
        return message if whole else self._message(without_details(line))

    def _connect(self) -> socket.socket:
        if self._scheme == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            return _connected(connection, self._path)
        if self._scheme == "udp":
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            return _connected(socket.socket(family, kind, protocol), address)
        connection = socket.create_connection((self._host, self._port), _WITHIN_S)
        if self._scheme == "tcp":
            return connection
        try:
            return self._tls().wrap_socket(connection, server_hostname=self._host)
        except OSError:
            connection.close()
            raise

    def _tls(self) -> ssl.SSLContext:
        target = self._target
        context = ssl.create_default_context(cafile=target.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if target.certificate is not None:
            context.load_cert_chain(target.certificate, target.key)
        return context


def syslog_follower(database: Database, target: SyslogTarget, folder: Path) -> LineFollower:
    """Deliver to `target`; how far, is in a file of the folder."""
    return LineFollower(database, Syslog(target), folder / "audit-syslog.position")


_Address = str | tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


def _connected(connection: socket.socket, address: _Address) -> socket.socket:
    try:
        connection.settimeout(_WITHIN_S)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _wait_acknowledged(connection: socket.socket) -> None:
    """Wait until the other machine has acknowledged all bytes: a cut line shows only by this."""
    until = monotonic() + _WITHIN_S
    while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0]:
        if monotonic() >= until:
            raise TimeoutError("the collector does not acknowledge what was sent")
        sleep(_LOOK_EVERY_S)
