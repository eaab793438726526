"""The keys of a process: master keys of the settings, and collection keys that they unwrap."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Protocol

from sqlalchemy.orm import Session

from app.errors import CollectionSealed, MasterKeyMissing, MasterKeyUnknown, StartupError
from app.gallery.store.repositories.vault_repository import VaultRepository, WrappedKey
from app.gallery.vault.collection_key import CollectionKey, context_of
from app.gallery.vault.master_key import MasterKey
from app.gallery.vault.sealing import SealedOtherwiseError, Sealer
from app.gallery.vault.unreadable_faces import UnreadableFaces

_GENERATION_BYTES = 4
_MOST_REPORTED = 10_000
_MADE = "vultus_keys_made"

IN_SESSION = "vultus_vault"
"""The name of the vault in the `info` of a session."""


class Reads(Protocol):
    """What the vault reads keys from."""

    def reading(self) -> AbstractContextManager[Session]: ...


class Vault:
    """Opens and makes keys. It is there in any case; without a master key, it `is_on` never.

    Collection keys stay in memory once they were unwrapped, as the embeddings of an index do.
    Thread-safe: two threads that unwrap the same key do it twice.
    """

    def __init__(
        self,
        database: Reads,
        load_masters: Callable[[], Sequence[MasterKey]] = tuple,
        *,
        is_on: bool = False,
    ) -> None:
        """`load_masters` returns the master key, then former ones; it is called when one is
        needed first, and may raise StartupError."""
        self._database = database
        self._load_masters = load_masters
        self.is_on = is_on
        """Whether the settings name a master key."""
        self._known: dict[tuple[int, int], CollectionKey] = {}
        self._reported: set[str] = set()
        self.unreadable = UnreadableFaces()

    @cached_property
    def masters(self) -> tuple[MasterKey, ...]:
        """The master key, then former ones. Raises StartupError with the remedy."""
        return tuple(self._load_masters())

    @property
    def master(self) -> MasterKey:
        return self.masters[0]

    def prepare(self) -> None:
        """Make sure that every collection key opens, and keep them all.

        So this process goes on while the master key is changed. Raises StartupError: a service with
        another master key, or without one, would answer as if the gallery were empty.
        """
        with self._database.reading() as session:
            repository = VaultRepository(session)
            keys = repository.everything()
            altered = repository.in_the_clear({key.collection_number for key in keys})
        if not self.is_on:
            if keys:
                raise MasterKeyMissing(
                    f"{len({key.collection_number for key in keys})} collections of the database "
                    "are encrypted, and the settings name no master key"
                )
            return
        assert self.masters
        known = {master.id for master in self.masters}
        foreign = sorted({key.master_id for key in keys} - known)
        if foreign:
            raise MasterKeyUnknown(
                f"the database is encrypted by the master key {', '.join(foreign)}, and the "
                f"settings give {', '.join(sorted(known))}",
                master_ids=tuple(foreign),
            )
        if altered:
            raise StartupError(
                f"collection {altered[0]} has a key, and its row says that it is not encrypted: "
                "the row in collections was altered; restore it from a backup of the database"
            )
        for key in keys:
            try:
                self._known[key.collection_number, key.generation] = self._unwrapped(key)
            except SealedOtherwiseError as error:
                raise StartupError(
                    f"the key of collection {key.collection_number} (generation {key.generation}) "
                    "does not open by the master key that it names: the row in collection_keys "
                    "was altered or is damaged; restore it from a backup of the database"
                ) from error

    def key(self, session: Session, collection_number: int, generation: int) -> CollectionKey:
        """Return a collection's key. Raises CollectionSealed where this process cannot open it."""
        known = self.known(collection_number, generation)
        return known or self.read_key(session, collection_number, generation)

    def known(self, collection_number: int, generation: int) -> CollectionKey | None:
        """Return a key that is in memory."""
        return self._known.get((collection_number, generation))

    def read_key(self, session: Session, collection_number: int, generation: int) -> CollectionKey:
        """Read a collection's key from the database, as another process may have changed it."""
        if not self.is_on:
            raise _sealed(collection_number, "it was started without a master key")
        found = VaultRepository(session).find(collection_number, generation)
        if found is None:
            raise _sealed(collection_number, f"there is no key of generation {generation}")
        try:
            key = self._unwrapped(found)
        except SealedOtherwiseError as error:
            raise _sealed(collection_number, "its key does not open") from error
        # One that this transaction made may be undone, and another one be made in its place.
        if (collection_number, generation) not in session.info.get(_MADE, ()):
            self._known[collection_number, generation] = key
        return key

    def require_in_the_clear(self, collection_number: int) -> None:
        """Raise CollectionSealed for a collection that is read as one in the clear and has a key.

        Nothing but SQL past the service makes it so. A transaction that began before the collection
        was encrypted sees it in the clear as well, so that the row is read once more.
        """
        if any(number == collection_number for number, _ in tuple(self._known)):
            with self._database.reading() as session:
                altered = VaultRepository(session).in_the_clear([collection_number])
            if altered:
                raise _sealed(collection_number, "its row says that it is not encrypted")

    def begin(self, session: Session, collection_number: int, *, is_complete: bool) -> int:
        """Make the next key of a collection; return its generation.

        Requires the lock on the collection, or that no other transaction sees it yet.
        """
        repository = VaultRepository(session)
        generation = repository.latest_generation(collection_number) + 1
        key = CollectionKey.make(collection_number, generation, is_complete=is_complete)
        repository.add(self.wrapped(key))
        session.info.setdefault(_MADE, set()).add((collection_number, generation))
        return generation

    def wrapped(self, key: CollectionKey) -> WrappedKey:
        """Wrap a collection key by the master key."""
        return WrappedKey(
            key.number,
            key.generation,
            self.master.id,
            key.is_complete,
            self.master.wrap(key.key, key.context),
        )

    def is_news(self, row: str) -> bool:
        """Return whether this row was not reported before, so that a log has it once."""
        if row in self._reported or len(self._reported) >= _MOST_REPORTED:
            return False
        self._reported.add(row)
        return True

    def forget(self) -> None:
        """Drop the collection keys in memory; they are read again when they are needed."""
        self._known.clear()

    def collection_sealer(self, collection_number: int, purpose: str) -> Sealer | None:
        """Return what seals whole files of a collection, by its key at this moment.

        None where the collection is not encrypted. What was sealed by an earlier generation opens
        as long as its key is kept. Raises CollectionSealed where this process cannot open the key.
        """
        with self._database.reading() as session:
            generation = VaultRepository(session).generation_of(collection_number)
            if generation is None:
                return None
            self.key(session, collection_number, generation)
        return _CollectionSealer(self, self._database, collection_number, generation, purpose)

    def _unwrapped(self, key: WrappedKey) -> CollectionKey:
        """Raises SealedOtherwiseError."""
        master = next((one for one in self.masters if one.id == key.master_id), None)
        if master is None:
            raise SealedOtherwiseError(f"no master key {key.master_id} is known")
        context = context_of(key.collection_number, key.generation, is_complete=key.is_complete)
        opened = master.unwrap(key.wrapped, context)
        return CollectionKey(
            key.collection_number, key.generation, opened, is_complete=key.is_complete
        )


class _CollectionSealer:
    """Writes the generation of the key before the sealed bytes: 4 bytes, big-endian."""

    def __init__(
        self, vault: Vault, database: Reads, number: int, generation: int, purpose: str
    ) -> None:
        self._vault = vault
        self._database = database
        self._number = number
        self._generation = generation
        self._purpose = purpose

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        start = self._generation.to_bytes(_GENERATION_BYTES)
        return start + self._sealer(self._generation).seal(plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises SealedOtherwiseError."""
        generation = int.from_bytes(sealed[:_GENERATION_BYTES])
        try:
            sealer = self._sealer(generation)
        except CollectionSealed as error:
            raise SealedOtherwiseError(str(error)) from error
        return sealer.open(sealed[_GENERATION_BYTES:], context)

    def _sealer(self, generation: int) -> Sealer:
        key = self._vault.known(self._number, generation)
        if key is None:
            with self._database.reading() as session:
                key = self._vault.read_key(session, self._number, generation)
        return key.sealer(self._purpose)


def vault_of(session: Session) -> Vault:
    """Return the vault of a session of `Database`."""
    vault: Vault = session.info[IN_SESSION]
    return vault


def _sealed(collection_number: int, cause: str) -> CollectionSealed:
    return CollectionSealed(
        f"collection {collection_number} is encrypted, and this process cannot open it: {cause}"
    )
