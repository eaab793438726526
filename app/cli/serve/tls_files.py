"""The certificate and key of a service that answers https, checked before it starts."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from app.errors import SettingUnusable
from app.settings import TlsSettings

_CERT = "VULTUS_TLS__CERT"
_KEY = "VULTUS_TLS__KEY"
_CLIENT_CA = "VULTUS_TLS__CLIENT_CA"
_KEY_LABEL = b"PRIVATE KEY-----"
_MISMATCHES = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM. Without a certificate, the service answers http."""

    certificate: Path | None = None
    key: Path | None = None
    """None: the key is in the file of the certificate."""
    client_ca: Path | None = None
    """None: clients need no certificate."""
    clients_need_one: bool = True
    """Else a client may come without a certificate, but not with a wrong one."""

    def or_else(self, settings: TlsSettings) -> "TlsFiles":
        """Take what is not given here from the settings."""
        return TlsFiles(
            self.certificate or settings.cert,
            self.key or settings.key,
            settings.client_ca,
            settings.client_certs == "required",
        )


class _NoPasswordError(Exception):
    """The key needs a password, for which a service has no one to ask."""


def require_tls_files(files: TlsFiles) -> None:
    """Load the files once. Raises SettingUnusable for the first that the server could not use."""
    certificate, key = files.certificate, files.key
    if certificate is None:
        if key is not None:
            raise SettingUnusable("a key for TLS is given without a certificate", setting=_CERT)
        if files.client_ca is not None:
            raise SettingUnusable(
                "client certificates are demanded, and the service has no certificate itself",
                setting=_CERT,
            )
        return
    _require_readable(certificate, "certificate", _CERT)
    if key is not None:
        _require_readable(key, "key", _KEY)
    loaded = _read_certificate(certificate)
    _require_pair(certificate, key)
    _warn_unless_valid(certificate, loaded)
    if files.client_ca is not None:
        _require_authorities(files.client_ca)


def _require_authorities(file: Path) -> None:
    _require_readable(file, "file of authorities", _CLIENT_CA)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(file)
    except ssl.SSLError as error:
        raise SettingUnusable(f"{file} has no certificate in PEM", setting=_CLIENT_CA) from error


def _require_readable(file: Path, what: str, setting: str) -> None:
    try:
        file.read_bytes()
    except FileNotFoundError as error:
        raise SettingUnusable(f"there is no {what} {file}", setting=setting) from error
    except OSError as error:
        raise SettingUnusable(
            f"cannot read the {what} {file} ({error.strerror})", setting=setting
        ) from error


def _read_certificate(file: Path) -> x509.Certificate:
    """The first of the file, which is that of the server."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError as error:
        raise SettingUnusable(f"{file} has no certificate in PEM", setting=_CERT) from error


def _require_pair(certificate: Path, key: Path | None) -> None:
    def refuse() -> str:
        # Without it, OpenSSL would ask on the terminal, and the start would wait.
        raise _NoPasswordError

    holder = key or certificate
    if _KEY_LABEL not in holder.read_bytes():
        raise SettingUnusable(f"{holder} has no private key in PEM", setting=_KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, refuse)
    except _NoPasswordError as error:
        raise SettingUnusable(
            f"the key in {holder} needs a password; openssl pkey writes it without one",
            setting=_KEY,
        ) from error
    except ssl.SSLError as error:
        fact = f"OpenSSL cannot use the key in {holder} ({error.reason})"
        if error.reason in _MISMATCHES:
            fact = f"the key in {holder} does not belong to the certificate {certificate}"
        raise SettingUnusable(fact, setting=_KEY) from error


def _warn_unless_valid(file: Path, certificate: x509.Certificate) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= datetime.now(UTC) <= last:
        _log.warning(
            "certificate_not_valid",
            file=str(file),
            valid_from=first.isoformat(),
            valid_until=last.isoformat(),
            remedy="renew it; browsers and clients refuse the connection",
        )
