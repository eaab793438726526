"""The TLS context of a server process, which reads renewed files by itself."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread

import structlog
import uvicorn

from app.cli.serve.tls_files import TlsFiles, require_tls_files
from app.errors import SettingUnusable

_LOOK_EVERY_S = 1.0

_log = structlog.get_logger(__name__)

_Seen = tuple[tuple[int, int, int] | None, ...]
"""Inode, size and time of change of each file; None for one that is not there."""


@dataclass(frozen=True, slots=True)
class TlsContext:
    """Makes the context of a server process, as uvicorn asks for it in each of them."""

    files: TlsFiles

    def __call__(self, _: uvicorn.Config, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        # Before they are loaded: what is renewed meanwhile is read again.
        seen = _look(self.files)
        context = _RenewedContext(ssl.PROTOCOL_TLS_SERVER)
        context.current = _load(self.files)
        follow = partial(_follow, context, self.files, seen)
        Thread(target=follow, daemon=True, name="vultus-tls").start()
        return context


class _RenewedContext(ssl.SSLContext):
    """Begins each connection by the context of this moment.

    A context of its own for each state of the files: OpenSSL can add authorities to a context but
    takes none out, and a client resumes a session of a former context without being checked.
    """

    current: ssl.SSLContext

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return self.current.wrap_bio(incoming, outgoing, server_side, server_hostname, session)


def _load(files: TlsFiles) -> ssl.SSLContext:
    assert files.certificate is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED if files.clients_need_one else ssl.CERT_OPTIONAL
    return context


def _follow(context: _RenewedContext, files: TlsFiles, seen: _Seen) -> None:
    """Load the files again whenever one has changed, for connections that come then."""
    never = Event()
    while not never.wait(_LOOK_EVERY_S):
        now = _look(files)
        if now != seen:
            seen = now
            _renew(context, files)


def _renew(context: _RenewedContext, files: TlsFiles) -> None:
    """Load the files, unless one could not serve: then all stay as before, and the log says so."""
    try:
        require_tls_files(files)
        context.current = _load(files)
    except (SettingUnusable, ssl.SSLError, OSError) as error:
        _log.error(
            "certificate_unusable",
            file=str(files.certificate),
            cause=str(error),
            remedy="write the file that the cause names anew; until then, connections get the "
            "certificate before, and clients are checked by the authorities before",
        )
    else:
        _log.info("certificate_renewed", file=str(files.certificate))


def _look(files: TlsFiles) -> _Seen:
    followed = (files.certificate, files.key, files.client_ca)
    return tuple(_state(file) for file in followed if file is not None)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
