"""The TLS context of a server process, which reads a renewed certificate by itself."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
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
        files = self.files
        assert files.certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Before it is loaded: what is renewed meanwhile is read again.
        seen = _look(files)
        context.load_cert_chain(files.certificate, files.key)
        if files.client_ca is not None:
            context.load_verify_locations(files.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED if files.clients_need_one else ssl.CERT_OPTIONAL
        Thread(target=_follow, args=(context, files, seen), daemon=True, name="vultus-tls").start()
        return context


def _follow(context: ssl.SSLContext, files: TlsFiles, seen: _Seen) -> None:
    """Load the certificate again whenever a file has changed, for connections that come then."""
    never = Event()
    while not never.wait(_LOOK_EVERY_S):
        now = _look(files)
        if now != seen:
            seen = now
            renew(context, files)


def renew(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Load the certificate into the context, unless it could not serve: then the one before
    stays, and the log says so."""
    assert files.certificate is not None
    try:
        require_tls_files(files)
        context.load_cert_chain(files.certificate, files.key)
    except (SettingUnusable, ssl.SSLError, OSError) as error:
        _log.error(
            "certificate_unusable",
            file=str(files.certificate),
            cause=str(error),
            remedy="write a certificate with its key; connections get the one before until then",
        )
    else:
        _log.info("certificate_renewed", file=str(files.certificate))


def _look(files: TlsFiles) -> _Seen:
    return tuple(_state(file) for file in (files.certificate, files.key) if file is not None)


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
