"""The master key, which wraps keys: those of collections, and those of archives."""

from app.gallery.vault.sealing import KeySealer, subkey

_ID_BYTES = 8


class MasterKey:
    """A key of 32 bytes that never lies in the database; its `id` does, and is no secret."""

    def __init__(self, key: bytes) -> None:
        self.id = subkey(key, "master id", _ID_BYTES).hex()
        self._sealer = KeySealer(subkey(key, "collection keys"))
        self.archive_key = subkey(key, "archive keys")
        """Wraps the keys of archives, which another gallery with this master key opens, too."""

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return self._sealer.seal(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises SealedOtherwiseError."""
        return self._sealer.open(wrapped, context)
