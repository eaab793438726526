"""SQL of findings of the doctor that a person has dismissed."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select

from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.tables import DismissalTable, FaceTable

Pair = tuple[int, int]
"""The numbers of two people, the lesser one first."""


def pair_of(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


class DismissalRepository(ScopedRepository):
    """The dismissals of one collection: of pairs of people, and of faces."""

    def add(self, pairs: Collection[Pair], faces: Collection[int], at: datetime) -> int:
        """Dismiss pairs and faces; return how many were not dismissed before.

        Requires the lock on the collection.
        """
        pairs = set(pairs) - self._stored(pairs)
        faces = set(faces) - self.faces_among(list(faces))
        here = {"collection_number": self._collection.number, "created_at": at}
        self._session.add_all(
            [
                *(
                    DismissalTable(identity_number=one, other_number=other, **here)
                    for one, other in sorted(pairs)
                ),
                *(DismissalTable(face_number=number, **here) for number in sorted(faces)),
            ]
        )
        self._session.flush()
        return len(pairs) + len(faces)

    def remove(self, pairs: Collection[Pair], faces: Collection[int]) -> int:
        """Take dismissals back; return how many there were."""
        chosen = [row for row in self._pairs_of({one for one, _ in pairs}) if row[1:] in pairs]
        numbers = [number for number, _, _ in chosen]
        condition = or_(
            among(DismissalTable.number, "numbers"), among(DismissalTable.face_number, "faces")
        )
        found = self._session.scalars(
            delete(DismissalTable).where(condition).returning(DismissalTable.number),
            {"numbers": numbers, "faces": list(faces)},
            execution_options={"synchronize_session": False},
        )
        return len(found.all())

    def others_of(self, people: Sequence[int]) -> dict[int, set[int]]:
        """The people whom a dismissal names together with one of these, by the number of the one
        of these."""
        others: dict[int, set[int]] = {}
        one, other = DismissalTable.identity_number, DismissalTable.other_number
        for mine, theirs in ((one, other), (other, one)):
            query = select(mine, theirs).where(among(mine, "people"))
            for number, dismissed in self._session.execute(query, {"people": people}):
                if number is not None and dismissed is not None:
                    others.setdefault(number, set()).add(dismissed)
        return others

    def faces_among(self, numbers: Sequence[int]) -> set[int]:
        """Return the faces among these that are dismissed."""
        query = select(DismissalTable.face_number).where(
            among(DismissalTable.face_number, "numbers")
        )
        return {n for n in self._session.scalars(query, {"numbers": numbers}) if n is not None}

    def page(self, *, after: int, limit: int) -> Sequence[DismissalTable]:
        query = (
            select(DismissalTable)
            .where(self._here(DismissalTable), DismissalTable.number > after)
            .order_by(DismissalTable.number)
            .limit(limit)
        )
        return self._session.scalars(query).all()

    def faces_of(self, rows: Iterable[DismissalTable]) -> dict[int, tuple[str, int]]:
        """The id and the owner of each face of these dismissals, by number."""
        numbers = [row.face_number for row in rows if row.face_number is not None]
        query = select(FaceTable.number, FaceTable.id, FaceTable.identity_number).where(
            FaceTable.number.in_(numbers)
        )
        return {number: (face_id, owner) for number, face_id, owner in self._session.execute(query)}

    def hand_over(self, people: Sequence[int], to: int) -> None:
        """Have pairs of these people be pairs of `to`, who they become part of."""
        goes = {*people, to}
        moved: dict[Pair, datetime] = {}
        for row in self._of_people(people):
            one, other = (to if number in goes else number for number in _people_of(row))
            if one != other:
                moved.setdefault(pair_of(one, other), row.created_at)
            self._session.delete(row)
        self._session.flush()
        for pair, at in moved.items():
            self.add([pair], [], at)

    def forget_faces(self, numbers: Sequence[int]) -> None:
        """Delete dismissals of faces that have another owner now."""
        self._session.execute(delete(DismissalTable).where(DismissalTable.face_number.in_(numbers)))

    def _of_people(self, people: Sequence[int]) -> Sequence[DismissalTable]:
        one, other = DismissalTable.identity_number, DismissalTable.other_number
        query = select(DismissalTable).where(
            self._here(DismissalTable), or_(one.in_(people), other.in_(people))
        )
        return self._session.scalars(query.order_by(DismissalTable.number)).all()

    def _stored(self, pairs: Collection[Pair]) -> set[Pair]:
        """Return those of these pairs that are dismissed."""
        return {row[1:] for row in self._pairs_of({one for one, _ in pairs})} & set(pairs)

    def _pairs_of(self, firsts: Collection[int]) -> list[tuple[int, int, int]]:
        """The number, and the pair, of each dismissal of a pair whose first is one of these."""
        one, other = DismissalTable.identity_number, DismissalTable.other_number
        query = select(DismissalTable.number, one, other).where(among(one, "people"))
        rows = self._session.execute(query, {"people": sorted(firsts)})
        return [
            (number, first, second)
            for number, first, second in rows
            if first is not None and second is not None
        ]


def _people_of(row: DismissalTable) -> Pair:
    assert row.identity_number is not None
    assert row.other_number is not None
    return row.identity_number, row.other_number
