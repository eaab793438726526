"""What a process keeps in memory of the API keys, so that a request reads no database."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from app.gallery.keys.gallery_keys import GalleryKeys
from app.gallery.keys.key_records import ApiKey
from app.gallery.keys.key_texts import digest_of, id_in
from app.gallery.keys.pair_secrets import SigningKey

_NO_DIGEST = digest_of("")
"""Compared with where no key has the id, so that the time taken reveals nothing."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The keys at a version. They are replaced as one, so that a request sees one state."""

    version: int
    by_id: dict[str, ApiKey]
    by_aws_id: dict[str, ApiKey]


class KeyRing:
    """The keys as of the last `follow`, which runs whenever a process has changed something.

    The moments of their use are collected, and written by `save_use`.
    """

    def __init__(self, keys: GalleryKeys) -> None:
        self.keys = keys
        self._known: _Known | None = None
        self._used: dict[str, datetime] = {}
        self._lock = Lock()

    @property
    def is_loaded(self) -> bool:
        return self._known is not None

    @property
    def is_empty(self) -> bool:
        """Return whether no key was ever made; False before the first `follow`."""
        return self._known is not None and not self._known.by_id

    def follow(self) -> None:
        """Read the keys, if one was changed. Blocks."""
        with self._lock:
            known = self._known
            if known is not None and self.keys.version() == known.version:
                return
            version, keys = self.keys.everything()
            by_aws_id = {key.aws_access_key_id: key for key in keys if key.aws_access_key_id}
            self._known = _Known(version, {key.id: key for key in keys}, by_aws_id)

    def find(self, text: str) -> ApiKey | None:
        """Return the key of this text, whatever its state; None when there is none.

        The digests are compared in constant time.
        """
        known = self._known
        key_id = id_in(text)
        if known is None or key_id is None:
            return None
        key = known.by_id.get(key_id)
        digest = _NO_DIGEST if key is None else key.sha256
        is_it = hmac.compare_digest(digest_of(text), digest)
        return key if is_it else None

    def find_pair(self, access_key_id: str) -> SigningKey | None:
        """Return the key of a pair and the secret that checks its signatures; None without one.

        The key is returned whatever its state. Raises KeySecretSealed when the secret does not
        open. An access key id is no secret; the caller compares signatures in constant time, and
        calls `note_use` when one is right.
        """
        known = self._known
        key = None if known is None else known.by_aws_id.get(access_key_id)
        if key is None or key.aws_secret_sealed is None or self.keys.pair_secrets is None:
            return None
        secret = self.keys.pair_secrets.opened(access_key_id, key.aws_secret_sealed)
        return SigningKey(key, secret)

    def note_use(self, key_id: str) -> None:
        """Note that a key is used now."""
        self._used[key_id] = datetime.now(UTC)

    def save_use(self) -> None:
        """Write when keys were used, if any were since the call before. Blocks."""
        used, self._used = self._used, {}
        if used:
            self.keys.note_used(used)
