"""The Ed25519 key that signs the heads of chains, and the public keys that check signatures.

Unlike the HMAC of lines, a signature (RFC 8032) is checked without a secret: an officer needs the
public key and an export, and neither the database nor the key of the audit log.
"""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from app.errors import InvalidRequest, StartupError
from app.gallery.store.key_files import key_of

_FILE = "audit-signing.key"


class PublicKey:
    """A public key. `id` names it in signed lines."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.id = hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]

    @property
    def pem(self) -> str:
        """Return the key as PEM (RFC 8410), as OpenSSL reads it."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def has_signed(self, text: bytes, signature: str) -> bool:
        """Return whether `signature`, in base64, is one of `text` by this key."""
        try:
            self._key.verify(b64decode(signature, validate=True), text)
        except (InvalidSignature, Base64Error, ValueError):
            return False
        return True


class SigningKey:
    """A private key."""

    def __init__(self, key: bytes) -> None:
        """`key`: the 32 bytes of RFC 8032."""
        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self.public = PublicKey(self._key.public_key())

    def sign(self, text: bytes) -> str:
        """Return the signature of `text`, in base64."""
        return b64encode(self._key.sign(text)).decode("ascii")


def load_signing_key(setting: str | None, folder: Path) -> SigningKey:
    """Return the key of the settings, else that of the folder, which is made if it is missing.

    Raises StartupError with the remedy.
    """
    name, what = "VULTUS_AUDIT__SIGNING_KEY", "signatures of the audit log"
    return SigningKey(key_of(setting, folder / _FILE, name=name, what=what))


def former_public_keys(settings: Sequence[Path]) -> list[PublicKey]:
    """Return the public keys of files. Raises StartupError with the remedy."""
    try:
        return [read_public_key(path) for path in settings]
    except InvalidRequest as error:
        raise StartupError(f"VULTUS_AUDIT__FORMER_PUBLIC_KEYS: {error}") from error


def read_public_key(path: Path) -> PublicKey:
    """Return the public key of a PEM file. Raises InvalidRequest."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read as a public key ({error})") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidRequest(f"{path} has no Ed25519 key, as `vultus audit key` prints")
    return PublicKey(key)
