"""Crops of enrolled faces, encrypted: without the key, the database shows nothing of them."""

import os
from base64 import b64decode
from binascii import Error

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.errors import StartupError
from app.gallery.vault.kept_crops import ClearCrop
from app.gallery.vault.master_source import names_master
from app.recognition import wide_crop
from app.recognition.types import WideCrop
from app.settings import Settings

_KEY_BYTES = 32
_NONCE_BYTES = 12


class CropSealedOtherwiseError(Exception):
    """A crop that was sealed with another key or for another face, or is damaged."""


class CropVault:
    """AES-256-GCM with a random nonce (NIST SP 800-38D), bound to the id of the face: a crop that
    is moved to another face cannot be opened.

    Without a key of its own, it leaves the sealing to the database, which encrypts all rows of the
    collection (app/gallery/vault).
    """

    def __init__(self, key: bytes | None) -> None:
        """`key` has 32 bytes."""
        self._cipher = None if key is None else AESGCM(key)

    @classmethod
    def of(cls, settings: Settings) -> "CropVault | None":
        """None without a key and without a master key. Raises StartupError for a key of the wrong
        form."""
        if settings.crops_key is None:
            return cls(None) if names_master(settings) else None
        try:
            key = b64decode(settings.crops_key.get_secret_value(), validate=True)
        except (Error, ValueError):
            key = b""
        if len(key) != _KEY_BYTES:
            raise StartupError(
                "VULTUS_CROPS_KEY must be 32 bytes in base64; make one with openssl rand -base64 32"
            )
        return cls(key)

    def seal(self, face_id: str, crop: WideCrop) -> bytes:
        plain = wide_crop.to_bytes(crop)
        if self._cipher is None:
            return ClearCrop(plain)
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, face_id.encode("ascii"))

    def open(self, face_id: str, sealed: bytes) -> WideCrop:
        """Raises CropSealedOtherwiseError."""
        return wide_crop.from_bytes(self._decrypted(face_id, sealed))

    def open_jpeg(self, face_id: str, sealed: bytes) -> bytes:
        """The picture of a crop, as a JPEG file. Raises CropSealedOtherwiseError."""
        return wide_crop.jpeg_in(self._decrypted(face_id, sealed))

    def _decrypted(self, face_id: str, sealed: bytes) -> bytes:
        if isinstance(sealed, ClearCrop):  # the database has opened it, for this face
            return sealed
        if self._cipher is None:
            raise CropSealedOtherwiseError(face_id)
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, face_id.encode("ascii"))
        except (InvalidTag, ValueError) as error:  # another key, or too few bytes
            raise CropSealedOtherwiseError(face_id) from error
