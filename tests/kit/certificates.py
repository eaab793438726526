"""Self-signed certificates for 127.0.0.1, as `openssl req -x509` makes them, and of clients."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

_DAY = timedelta(days=1)


def write_certificate(
    folder: Path, *, valid_days: int = 1, password: bytes | None = None
) -> tuple[Path, Path]:
    """Write cert.pem and key.pem; return their paths. `valid_days` below 0: it has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vultus.test")])
    now = datetime.now(UTC)
    alternatives = [x509.DNSName("vultus.test"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + min(0, valid_days) * _DAY - _DAY)
        .not_valid_after(now + valid_days * _DAY)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, SHA256())
    )
    folder.mkdir(exist_ok=True)
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return cert_file, key_file


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """The certificate of an authority, and of a client that it has signed, with its key."""

    authority: Path
    certificate: Path
    key: Path


def write_client(folder: Path) -> ClientFiles:
    """Write an authority and a client's certificate into a new folder."""
    authority_key, client_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority, client = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        for name in (f"authority {folder.name}", "door 1")
    )
    now = datetime.now(UTC)

    def signed(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_ca: bool) -> bytes:
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .sign(authority_key, SHA256())
        )
        return made.public_bytes(Encoding.PEM)

    folder.mkdir()
    files = ClientFiles(folder / "ca.pem", folder / "client.pem", folder / "client-key.pem")
    files.authority.write_bytes(signed(authority, authority_key, is_ca=True))
    files.certificate.write_bytes(signed(client, client_key, is_ca=False))
    files.key.write_bytes(
        client_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return files
