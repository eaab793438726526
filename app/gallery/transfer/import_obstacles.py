"""The people of an archive who can be added, and the obstacles to adding others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.gallery.people.consent_records import end_of_last
from app.gallery.people.text_forms import nfc
from app.gallery.store.tables import CollectionTable, FaceTable, IdentityTable
from app.gallery.store.transaction import Transaction
from app.gallery.transfer.archived_people import ArchivedPerson

_IDS_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement


class SkipReason(StrEnum):
    """Why a person cannot be added; stable codes."""

    EXTERNAL_ID_TAKEN = "external_id_taken"
    IN_OTHER_COLLECTION = "in_other_collection"
    FACE_OF_ANOTHER = "face_of_another"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person who was not added, and why."""

    id: str
    external_id: str | None
    reason: SkipReason
    detail: str


@dataclass(slots=True)
class SortedPeople:
    """People of an archive by what an import does with them; `fresh` are added."""

    fresh: list[ArchivedPerson] = field(default_factory=list)
    known_before: int = 0
    """People whose id the collection has: an import that was interrupted added them."""
    expired: int = 0
    """People whose time has passed since they were exported."""
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def faces(self) -> int:
        """How many faces are added."""
        return sum(len(person.faces) for person in self.fresh)


def sort_people(transaction: Transaction, people: Sequence[ArchivedPerson]) -> SortedPeople:
    """Sort people by whether they can be added. Requires the lock on the collection."""
    session, collection = transaction.session, transaction.collection
    now = datetime.now(UTC)
    homes = _homes(session, [person.line.id for person in people])
    owners = transaction.identities.ids_of(
        person.line.external_id for person in people if person.line.external_id is not None
    )
    strangers = [person for person in people if person.line.id not in homes]
    known_faces = _known_faces(session, strangers)
    if known_faces:  # perhaps they came with these very people, into another collection, just now
        homes = _homes(session, [person.line.id for person in people])
    found = SortedPeople()
    for person in people:
        if homes.get(person.line.id) == collection.name:
            found.known_before += 1
            continue
        ends = (person.line.expires_at, end_of_last(person.line.consents))
        if any(end is not None and end <= now for end in ends):
            found.expired += 1  # the next sweep would erase them
            continue
        obstacle = _obstacle(person, homes, owners, known_faces)
        if obstacle is None:
            found.fresh.append(person)
            if person.line.external_id is not None:  # an archive may hold it in both Unicode forms
                owners[nfc(person.line.external_id)] = person.line.id
        else:
            found.skipped.append(Skipped(person.line.id, person.line.external_id, *obstacle))
    return found


def _obstacle(
    person: ArchivedPerson, homes: dict[str, str], owners: dict[str, str], known_faces: set[str]
) -> tuple[SkipReason, str] | None:
    line = person.line
    if line.id in homes:
        return (
            SkipReason.IN_OTHER_COLLECTION,
            f"the identity {line.id} is in collection {homes[line.id]!r}; delete it there first",
        )
    owner = None if line.external_id is None else owners.get(nfc(line.external_id))
    if owner is not None:
        taken = f"external_id {line.external_id!r} is taken by the identity {owner}"
        return SkipReason.EXTERNAL_ID_TAKEN, f"{taken}; change one of the two, and import again"
    for face in person.faces:
        if face.line.id in known_faces:
            return (
                SkipReason.FACE_OF_ANOTHER,
                f"the face {face.line.id} belongs to another identity; delete it there first",
            )
    return None


def _homes(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return the names of the collections that people are in, by identity id."""
    query = (
        select(IdentityTable.id, CollectionTable.name)
        .join(CollectionTable, CollectionTable.number == IdentityTable.collection_number)
        .where(IdentityTable.id.in_(ids))
    )
    return {identity_id: name for identity_id, name in session.execute(query)}  # noqa: C416


def _known_faces(session: Session, people: Sequence[ArchivedPerson]) -> set[str]:
    ids = [face.line.id for person in people for face in person.faces]
    found: set[str] = set()
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[start : start + _IDS_AT_ONCE]
        found.update(session.scalars(select(FaceTable.id).where(FaceTable.id.in_(some))))
    return found
