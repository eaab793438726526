"""Keys of sealed snapshots: a fresh one a file, which lies in the database and not in the file.

A key is wrapped by the collection's. As the row lies in the database, an erasure that destroys it
makes every copy of the file unreadable, in backups and on other machines, too; in the header of the
file, it would be in each copy.
"""

import os
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """A key of one snapshot file, which names it by `id`."""

    id: str
    secret: bytes

    @classmethod
    def fresh(cls) -> "SnapshotKey":
        return cls(uuid4().hex, os.urandom(_KEY_BYTES))


class SnapshotKeys(Protocol):
    """The keys of the snapshots of a database, on all its machines; methods block."""

    def sealing(self, collection_number: int) -> bool:
        """Whether snapshots of the collection are to be sealed."""
        ...

    def make(self, collection_number: int, folder: str) -> SnapshotKey | None:
        """Make a key, which is kept from now on; None where snapshots are in the clear.

        `folder` identifies the machine's folder of snapshots.
        """
        ...

    def find(self, collection_number: int, key_id: str) -> SnapshotKey | None:
        """Return a key; None when it was destroyed, or cannot be unwrapped."""
        ...

    def keep_only(self, collection_number: int, folder: str, key_id: str | None) -> None:
        """Destroy all other keys of a folder's snapshots of the collection."""
        ...

    def destroy(self, collection_number: int) -> None:
        """Destroy all keys of the collection's snapshots, on all machines."""
        ...
