"""Self-signed certificates for 127.0.0.1, as `openssl req -x509` makes them."""

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
