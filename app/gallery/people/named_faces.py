"""The faces that a request names by their ids alone, with their owners."""

from collections.abc import Mapping, Sequence

from app.gallery.records import Identity
from app.gallery.store.tables import FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction


class NamedFaces:
    """Faces of a collection by ids, each of which counts once.

    `ids` are as sent; `rows` has those that are there. A face of a person who has expired is not.
    """

    def __init__(self, transaction: Transaction, face_ids: Sequence[str]) -> None:
        self.ids: tuple[str, ...] = tuple(dict.fromkeys(face_ids))
        found = {row.id: row for row in transaction.faces.some(self.ids)}
        numbers = sorted({row.identity_number for row in found.values()})
        self._owners: Mapping[int, IdentityTable] = transaction.identities.living(numbers)
        self._records = transaction.identities.records(self._owners.values())
        self.rows: dict[str, FaceTable] = {
            face_id: found[face_id]
            for face_id in self.ids
            if face_id in found and found[face_id].identity_number in self._owners
        }
        self._owner_of = {row.id: row.identity_number for row in self.rows.values()}

    def owner(self, face: FaceTable) -> IdentityTable:
        """The owner at the beginning of the request."""
        return self._owners[self._owner_of[face.id]]

    def record(self, face: FaceTable) -> Identity:
        return self._records[self._owner_of[face.id]]
