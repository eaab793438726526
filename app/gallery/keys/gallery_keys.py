"""Make, list, rotate and revoke API keys. All methods block."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.errors import KeyInactive, KeySecretSealed, StartupError
from app.gallery.journal.actions import Action
from app.gallery.keys.aws_pair import AwsPair, new_pair
from app.gallery.keys.key_records import ApiKey, IssuedKey, KeyState, NewKey
from app.gallery.keys.key_texts import new_key_text
from app.gallery.keys.pair_secrets import PairSecrets
from app.gallery.records import Page
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.repositories.key_repository import key_not_found
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.transaction import Collections
from app.gallery.vault.wrapped_texts import WrappedAnew

Within = Sequence[str] | None
"""Collections of the caller, who sees no key that may act in others; None: all."""


class GalleryKeys:
    """The API keys of a database, each method one transaction."""

    def __init__(self, database: Database, pair_secrets: PairSecrets | None = None) -> None:
        """Without `pair_secrets`, no key with a pair is made."""
        self._store = Store(database)
        self.pair_secrets = pair_secrets

    def are_there(self) -> bool:
        """Return whether a key was ever made; also without a database file, or in an old schema."""
        file = self._store.database.file
        if file is not None and not file.exists():
            return False
        with self._store.reading_all() as collections:
            keys = collections.keys
            return keys.have_a_table() and keys.version() > 0

    def add(self, new: NewKey) -> IssuedKey:
        with self._store.writing_all() as collections:
            issued = self._add(collections, new, datetime.now(UTC))
            key = issued.key
            pair = {} if issued.pair is None else {"pair": issued.pair.access_key_id}
            collections.note(
                Action.KEY_ADDED,
                None,
                key=key.id,
                rights=key.rights,
                within=key.collections,
                **pair,
            )
        return issued

    @read_again
    def version(self) -> int:
        """Return a number that is another one after each change of a key."""
        with self._store.reading_all() as collections:
            return collections.keys.version()

    @read_again
    def everything(self) -> tuple[int, list[ApiKey]]:
        """Return the version, and all keys at it, oldest first."""
        with self._store.reading_all() as collections:
            keys = collections.keys
            return keys.version(), keys.everything()

    @read_again
    def page(self, *, limit: int, cursor: str | None, within: Within = None) -> Page[ApiKey]:
        """Return keys, oldest first."""
        after = decode_cursor(cursor)
        found: list[ApiKey] = []
        with self._store.reading_all() as collections:
            keys = collections.keys
            while len(found) <= limit and (rows := keys.page(after=after, limit=limit + 1)):
                found += [key for key in rows if key.is_within(within)]
                after = rows[-1].number
        numbers = [key.number for key in found]
        return Page(tuple(found[:limit]), next_cursor(numbers[: limit + 1], limit))

    @read_again
    def get(self, key_id: str, *, within: Within = None) -> ApiKey:
        """Return a key. Raises KeyNotFound."""
        with self._store.reading_all() as collections:
            return _visible(collections.keys.get(key_id), within)

    def rotate(
        self,
        key_id: str,
        *,
        overlap_s: float,
        expires_at: datetime | None = None,
        within: Within = None,
    ) -> IssuedKey:
        """Make a key that replaces another, which still works for `overlap_s`.

        The new key has the name and the rights of the other one. It expires at `expires_at`, else
        after as long a time as the other one had. Raises KeyNotFound, and KeyInactive when the
        other one is revoked, has expired or is replaced already.
        """
        now = datetime.now(UTC)
        with self._store.writing_all() as collections:
            keys = collections.keys
            former = _visible(keys.get(key_id, lock=True), within)
            _require_replaceable(former, now)
            if expires_at is None and former.expires_at is not None:
                expires_at = now + (former.expires_at - former.created_at)
            new = NewKey(
                former.name,
                former.role,
                former.rights,
                former.collections,
                expires_at,
                former.requests_per_min,
                with_pair=former.aws_access_key_id is not None,
            )
            issued = self._add(collections, new, now)
            end = now + timedelta(seconds=overlap_s)
            end = end if former.expires_at is None else min(end, former.expires_at)
            successor_id = issued.key.id
            keys.replace(former, successor_id=successor_id, expires_at=end)
            collections.note(Action.KEY_REPLACED, None, key=former.id, successor=successor_id)
        return issued

    def revoke(self, key_id: str, *, within: Within = None) -> ApiKey:
        """End a key at once; one that is revoked stays as it is. Raises KeyNotFound."""
        with self._store.writing_all() as collections:
            keys = collections.keys
            key = _visible(keys.get(key_id, lock=True), within)
            if key.revoked_at is not None:
                return key
            collections.note(Action.KEY_REVOKED, None, key=key.id)
            return keys.revoke(key, datetime.now(UTC))

    def seal_pairs(self) -> WrappedAnew:
        """Seal the secrets of pairs by the master key of this moment, where there is one.

        So a former master key, and `keys.key`, may go. Revoked keys are left as they are.
        """
        _, keys = self.everything()
        left = [key.id for key in keys if self._is_to_seal(key)]
        count, unreadable = 0, []
        for key_id in left:
            try:
                count += self._seal_pair(key_id)
            except (KeySecretSealed, StartupError):  # the latter where `keys.key` cannot be read
                unreadable.append(key_id)
        return WrappedAnew(count, tuple(unreadable))

    def _seal_pair(self, key_id: str) -> bool:
        """Return False where another process was quicker."""
        with self._store.writing_all() as collections:
            key = collections.keys.get(key_id, lock=True)
            if not self._is_to_seal(key):
                return False
            secrets, pair_id, kept = self.pair_secrets, key.aws_access_key_id, key.aws_secret_sealed
            assert secrets is not None
            assert pair_id is not None
            assert kept is not None
            pair = AwsPair(pair_id, secrets.opened(pair_id, kept))
            collections.keys.set_sealed(key, secrets.sealed(pair))
            return True

    def _is_to_seal(self, key: ApiKey) -> bool:
        secrets, kept = self.pair_secrets, key.aws_secret_sealed
        if secrets is None or kept is None or key.revoked_at is not None:
            return False
        return not secrets.is_kept_well(kept)

    def _add(self, collections: Collections, new: NewKey, now: datetime) -> IssuedKey:
        made = new_key_text()
        if not new.with_pair:
            return IssuedKey(collections.keys.add(made, new, now), made.text)
        assert self.pair_secrets is not None
        pair = new_pair()
        key = collections.keys.add(
            made,
            new,
            now,
            aws_access_key_id=pair.access_key_id,
            aws_secret_sealed=self.pair_secrets.sealed(pair),
        )
        return IssuedKey(key, made.text, pair)

    def note_used(self, used: Mapping[str, datetime]) -> None:
        """Keep when keys were used last, by id."""
        with self._store.writing_all() as collections:
            collections.keys.note_used(used)


def _visible(key: ApiKey, within: Within) -> ApiKey:
    if not key.is_within(within):
        raise key_not_found(key.id)
    return key


def _require_replaceable(key: ApiKey, now: datetime) -> None:
    if key.successor_id is not None:
        raise KeyInactive(f"key {key.id} is replaced by key {key.successor_id} already")
    if key.state(now) is not KeyState.ACTIVE:
        raise KeyInactive(f"key {key.id} is {key.state(now)}")
