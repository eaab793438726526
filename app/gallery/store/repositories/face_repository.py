"""SQL of the enrolled faces."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, TypeVarTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.errors import FaceNotFound
from app.gallery.records import EVERYBODY, BestFace, Face, FaceSummary, PeopleFilter
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.crop_repository import CropRepository
from app.gallery.store.repositories.owner_key_repository import PEOPLE
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.repositories.sealed_faces import SealedFaces
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.statements.embedding_columns import PLACES, kind_of, place_in
from app.gallery.store.statements.people_filter_sql import not_expired, wanted_people
from app.gallery.store.statements.prepared import PreparedStatement
from app.gallery.store.statements.row_records import box_of, record_of
from app.gallery.store.statements.vector_bytes import to_bytes
from app.gallery.store.tables import FaceTable, IdentityTable, SecondEmbeddingTable
from app.gallery.vault.contexts import of_embedding
from app.gallery.vault.opened_embeddings import OpenedEmbeddings
from app.gallery.vault.row_seals import seals_of
from app.recognition.types import Embedding

Ts = TypeVarTuple("Ts")

_PRIME = 2**31 - 1  # its square fits into 64 bits
_OFFSETS = (1_234_567_891, 987_654_321, 1_618_033_989)
_EXAMPLES_EACH = 8  # of more, people with many photos would outweigh the others
_ROWS_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement

# Made once: to build a statement takes as long as to answer it.
_OWNERS = PreparedStatement(
    select(FaceTable.number, FaceTable.id, FaceTable.identity_number)
    .join(IdentityTable, IdentityTable.number == FaceTable.identity_number)
    .where(
        FaceTable.collection_number == bindparam("collection"),
        among(FaceTable.number, "numbers"),
        not_expired(bindparam("now")),
    )
)
_EXAMPLES = {
    kind: PreparedStatement(
        place.readable(select(FaceTable.identity_number, FaceTable.number, *place.columns)).where(
            among(FaceTable.identity_number, "people"), place.present
        )
    )
    for kind, place in PLACES.items()
}
_RANKED = (
    select(
        FaceTable.identity_number,
        FaceTable.number,
        FaceTable.id,
        FaceTable.quality,
        func.row_number()
        .over(
            partition_by=FaceTable.identity_number,
            order_by=(FaceTable.quality.desc().nulls_last(), FaceTable.number),
        )
        .label("place"),
        func.sum(case((FaceTable.forced, 1), else_=0))
        .over(partition_by=FaceTable.identity_number)
        .label("forced_count"),
    )
    .where(among(FaceTable.identity_number, "people"))
    .subquery()
)
_SUMMARIES = select(_RANKED).where(_RANKED.c.place == 1)
_EMBEDDINGS = {
    kind: PreparedStatement(
        place.readable(select(FaceTable.number, *place.columns)).where(
            among(FaceTable.number, "numbers"), place.present
        )
    )
    for kind, place in PLACES.items()
}


class FaceOwner(NamedTuple):
    face_id: str
    identity_number: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Distinguishes sets of face numbers, all but certainly: by their count, and by the sum of the
    scattered numbers (sums of powers alone are the same for many pairs of sets)."""

    count: int
    total: int

    @classmethod
    def of(cls, numbers: NDArray[np.int64]) -> "Fingerprint":
        return cls(len(numbers), int(_scattered(numbers).sum()))


class FaceRepository(ScopedRepository):
    """Faces of one collection."""

    def __init__(self, session: Session, collection: CollectionView) -> None:
        super().__init__(session, collection)
        self._place = place_in(collection)
        self._seals = seals_of(session, collection, PEOPLE)
        self._opened = OpenedEmbeddings(session, collection)
        self._digest = {"digest": collection.digest}

    def find(self, face_id: str) -> FaceTable | None:
        query = select(FaceTable).where(self._here(FaceTable), FaceTable.id == face_id)
        return self._session.scalar(query)

    def some(self, face_ids: Collection[str]) -> Sequence[FaceTable]:
        """Find those of these faces that are there, oldest first."""
        # Not by the collection as well: SQLite would then read all of it.
        query = select(FaceTable).where(FaceTable.id.in_(face_ids)).order_by(FaceTable.number)
        here = self._collection.number
        return [face for face in self._session.scalars(query) if face.collection_number == here]

    def get(self, face_id: str) -> FaceTable:
        row = self.find(face_id)
        if row is None:
            raise self.not_found(face_id)
        return row

    def get_of(self, identity: IdentityTable, face_id: str) -> FaceTable:
        """Find a face of this person. Raises FaceNotFound."""
        row = self.get(face_id)
        if row.identity_number != identity.number:
            raise self.not_found(face_id)
        return row

    def record(self, row: FaceTable, identity: IdentityTable) -> Face:
        return self.records([row], identity)[0]

    def records(self, rows: Sequence[FaceTable], identity: IdentityTable) -> list[Face]:
        """The records of faces of a person."""
        crops = CropRepository(self._session, self._collection)
        with_crop = crops.among([row.number for row in rows])
        return [
            record_of(
                Face,
                row,
                identity_id=identity.id,
                box=box_of(row.box),
                has_crop=row.number in with_crop,
            )
            for row in rows
        ]

    def page(self, identity: IdentityTable, *, after: int, limit: int) -> Sequence[FaceTable]:
        query = (
            select(FaceTable)
            .where(FaceTable.identity_number == identity.number, FaceTable.number > after)
            .order_by(FaceTable.number)
            .limit(limit)
        )
        return self._session.scalars(query).all()

    def of_identity(self, identity: IdentityTable) -> Sequence[FaceTable]:
        query = select(FaceTable).where(FaceTable.identity_number == identity.number)
        return self._session.scalars(query.order_by(FaceTable.number)).all()

    def on_photos(self, image_sha256s: Sequence[str]) -> Sequence[FaceTable]:
        """All faces of the collection that come from these photos."""
        query = select(FaceTable).where(
            self._here(FaceTable), FaceTable.image_sha256.in_(image_sha256s)
        )
        return self._session.scalars(query.order_by(FaceTable.number)).all()

    def summaries(self, identity_numbers: Sequence[int]) -> dict[int, FaceSummary]:
        """Sum up the faces of some people, by identity number; people without any are left out."""
        rows = self._session.execute(_SUMMARIES, {"people": identity_numbers}).all()
        crops = CropRepository(self._session, self._collection)
        with_crop = crops.among([row.number for row in rows])
        return {
            row.identity_number: FaceSummary(
                BestFace(row.id, row.quality, row.number in with_crop), row.forced_count
            )
            for row in rows
        }

    def ids_of(self, identity_numbers: Sequence[int]) -> dict[int, str]:
        """Ids by number of all faces of some people."""
        query = select(FaceTable.number, FaceTable.id).where(
            FaceTable.identity_number.in_(identity_numbers)
        )
        return {number: face_id for number, face_id in self._session.execute(query)}  # noqa: C416

    def ids_by_number(self, face_ids: Collection[str]) -> dict[int, str]:
        """Ids by number of those faces that are there."""
        query = select(FaceTable.number, FaceTable.id).where(
            self._here(FaceTable), FaceTable.id.in_(face_ids)
        )
        return {number: face_id for number, face_id in self._session.execute(query)}  # noqa: C416

    def numbers_by_owner(self, identity_numbers: Sequence[int]) -> dict[int, list[int]]:
        """Numbers of all faces of some people, by the person's number."""
        query = select(FaceTable.identity_number, FaceTable.number).where(
            FaceTable.identity_number.in_(identity_numbers)
        )
        found: dict[int, list[int]] = {}
        for owner, number in self._session.execute(query.order_by(FaceTable.number)):
            found.setdefault(owner, []).append(number)
        return found

    def enrolled_images(self, identity: IdentityTable) -> set[str]:
        """SHA-256 of the photos that the identity's faces came from."""
        query = select(FaceTable.image_sha256).where(FaceTable.identity_number == identity.number)
        return {sha256 for sha256 in self._session.scalars(query) if sha256 is not None}

    def add_other_embeddings(self, embeddings: Mapping[int, bytes]) -> None:
        """Add embeddings by the collection's other embedder, by face number."""
        if not embeddings:
            return
        other = self._collection.other
        assert other is not None
        rows = [
            {
                "face_number": number,
                "collection_number": self._collection.number,
                "embedding": embedding,
                "embedder": other.name,
                "digest": other.digest,
            }
            for number, embedding in embeddings.items()
        ]
        self._session.execute(insert(SecondEmbeddingTable), rows)

    def sealed_by_other(self, embeddings: Mapping[int, Embedding]) -> dict[int, bytes]:
        """Return embeddings by the collection's other embedder as `add_other_embeddings` takes
        them, by face number."""
        clear = {number: to_bytes(embedding) for number, embedding in embeddings.items()}
        if not self._seals.is_on:
            return clear
        other = self._collection.other
        assert other is not None
        query = select(FaceTable.number, FaceTable.id, FaceTable.identity_number).where(
            among(FaceTable.number, "numbers")
        )
        rows = self._session.execute(query, {"numbers": list(clear)}).all()
        self._seals.require([row.identity_number for row in rows])
        return {
            row.number: self._seals.seal_vector(
                row.identity_number,
                of_embedding(self._collection.number, row.id, other.digest),
                clear[row.number],
            )
            for row in rows
        }

    def give(self, numbers: Sequence[int], owner: IdentityTable) -> None:
        """Make a person the owner of faces of the same collection, under whose key they are sealed.

        Raises EmbeddingUnreadable.
        """
        if not numbers:
            return
        if self._seals.is_on:
            sealed = SealedFaces(self._session, self._collection, numbers)
            sealed.reseal(self._seals.of(owner.number))
        self._session.execute(
            update(FaceTable)
            .where(among(FaceTable.number, "numbers"))
            .values(identity_number=owner.number)
            .execution_options(synchronize_session=False),
            {"numbers": numbers},
        )

    def delete_all(self, numbers: Sequence[int]) -> None:
        """Delete these faces of any people."""
        if numbers:
            self._session.execute(
                delete(FaceTable)
                .where(among(FaceTable.number, "numbers"))
                .execution_options(synchronize_session=False),
                {"numbers": numbers},
            )

    def renew_key(self, owner: IdentityTable) -> None:
        """Seal the faces of a person under another key, so that a face of theirs that was deleted
        opens no more, wherever its sealed bytes still lie."""
        if not self._seals.is_on:
            return
        numbers = self.numbers_by_owner([owner.number]).get(owner.number, [])
        sealed = SealedFaces(self._session, self._collection, numbers)
        self._seals.require([owner.number])
        sealed.reseal_readable(self._seals.renew(owner.number))

    def with_both_among(self, numbers: Sequence[int]) -> set[int]:
        """Return the faces among these that have embeddings by both embedders."""
        query = select(SecondEmbeddingTable.face_number).where(
            among(SecondEmbeddingTable.face_number, "numbers")
        )
        return set(self._session.scalars(query, {"numbers": numbers}))

    def owners(
        self, numbers: Sequence[int], wanted: PeopleFilter, *, now: datetime
    ) -> dict[int, FaceOwner]:
        """Return the owners of faces by face number, as far as they are (still) in the collection,
        have not expired, and match the filter.

        Reads no embeddings: a search may ask for a great many faces.
        """
        values = {"collection": self._collection.number, "numbers": numbers, "now": now}
        connection = self._session.connection()
        rows: Sequence[Sequence[Any]]
        if wanted == EVERYBODY:
            rows = _OWNERS.rows(connection, values)
        else:
            query = _OWNERS.select
            if wanted.anonymous is not None:  # instead of a list of all these people
                query = query.where(IdentityTable.anonymous.is_(wanted.anonymous))
                wanted = replace(wanted, anonymous=None)
            for people in wanted_people(self._collection.number, wanted):
                query = query.where(IdentityTable.number.in_(people))
            rows = connection.execute(query, values).all()
        return {number: FaceOwner(face_id, owner) for number, face_id, owner in rows}

    def numbers_of(self, wanted: PeopleFilter, *, most: int | None = None) -> NDArray[np.int64]:
        """Numbers of all faces of the people wanted, or of `most` of them if there are more."""
        people = wanted_people(self._collection.number, wanted)
        query = select(FaceTable.number).where(
            self._here(FaceTable), *(FaceTable.identity_number.in_(some) for some in people)
        )
        return np.array(self._session.scalars(query.limit(most)).all(), dtype=np.int64)

    def embeddings_of(self, numbers: Sequence[int]) -> dict[int, Embedding]:
        """Read embeddings by face number, where the collection's embedder has made one, and it
        opens."""
        found = ((number, self._opened.one(columns)) for number, columns in self._rows_of(numbers))
        return {number: embedding for number, embedding in found if embedding is not None}

    def vectors_of(self, numbers: Sequence[int]) -> dict[int, Embedding]:
        """Read embeddings by face number as an index has them: zeros where one does not open."""
        rows = self._rows_of(numbers)
        return {number: self._opened.for_index(columns) for number, columns in rows}

    def get_embedding(self, face: FaceTable) -> Embedding | None:
        """Read the embedding of a face by the collection's embedder; None if it has made none.

        Raises EmbeddingUnreadable.
        """
        for _, columns in self._rows_of([face.number]):
            found = self._opened.one(columns)
            if found is None:
                raise self._seals.unreadable(face.id)
            return found
        return None

    def _rows_of(self, numbers: Sequence[int]) -> list[tuple[int, Sequence[Any]]]:
        """Face numbers, each with the columns of its embedding."""
        query = _EMBEDDINGS[kind_of(self._collection)]
        values = {"numbers": numbers, **self._digest}
        rows = query.rows(self._session.connection(), values)
        return [(row[0], row[1:]) for row in rows]

    def examples_of(
        self, identity_numbers: Sequence[int], *, exclude_face_id: str | None = None
    ) -> dict[int, dict[int, Embedding]]:
        """Read all embeddings of some people that open, by identity number and face number."""
        prepared = _EXAMPLES[kind_of(self._collection)]
        values = {"people": identity_numbers, **self._digest}
        found: dict[int, dict[int, Embedding]] = {}
        connection = self._session.connection()
        rows: Sequence[Sequence[Any]]
        if exclude_face_id is None:
            rows = prepared.rows(connection, values)
        else:
            query = prepared.select.where(FaceTable.id != exclude_face_id)
            rows = connection.execute(query, values).all()
        for identity_number, number, *columns in rows:
            embedding = self._opened.one(columns)
            if embedding is not None:
                found.setdefault(identity_number, {})[number] = embedding
        return found

    def some_people(self, *, most: int) -> tuple[NDArray[np.float32], list[int]]:
        """Embeddings, (N, dimension), of at most so many people, and the number of each one's
        owner.

        People are taken evenly from all that have faces, and the first few faces of each. Anonymous
        people are left out: several of them may be one person.
        """
        query = select(FaceTable.identity_number).where(self._here(FaceTable))
        anonymous = select(IdentityTable.number).where(
            self._here(IdentityTable), IdentityTable.anonymous.is_(True)
        )
        owners_there = set(self._session.scalars(query.distinct()))
        everybody = sorted(owners_there.difference(self._session.scalars(anonymous)))
        places = np.linspace(0, len(everybody) - 1, min(most, len(everybody))).astype(int)
        chosen = [everybody[place] for place in places]
        found: list[Embedding] = []
        owners: list[int] = []
        for owner, examples in self.examples_of(chosen).items():
            few = [examples[number] for number in sorted(examples)[:_EXAMPLES_EACH]]
            found += few
            owners += [owner] * len(few)
        dimension = self._collection.dimension
        return np.stack(found) if found else np.empty((0, dimension), np.float32), owners

    def embeddings(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield all face numbers, shape (N,), with embeddings, (N, dimension), in chunks.

        Embeddings by other embedders are left out.
        """
        query = (
            self._place.readable(select(FaceTable.number, *self._place.columns))
            .where(self._here(FaceTable), self._place.present)
            .order_by(FaceTable.number)
        )
        for rows in self._streamed(query):
            yield self._as_arrays(rows)

    def above(self, number: int, *, most: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The next faces, ascending: numbers (N,) and embeddings (N, dimension)."""
        query = (
            self._place.readable(select(FaceTable.number, *self._place.columns))
            .where(self._here(FaceTable), self._place.present, FaceTable.number > number)
            .order_by(FaceTable.number)
            .limit(most)
        )
        return self._as_arrays(self._session.execute(query, self._digest).all())

    def fingerprint(self) -> Fingerprint:
        """Fingerprint `numbers`; the database counts them faster than it sends them."""
        counted = select(
            func.count(), func.coalesce(func.sum(_scattered(FaceTable.number)), 0)
        ).select_from(FaceTable)
        query = self._place.joined(counted).where(*self._with_embedding())
        count, total = self._session.execute(query, self._digest).one()
        return Fingerprint(int(count), int(total))

    def numbers(self) -> NDArray[np.int64]:
        """All face numbers that the collection's embedder has seen, ascending."""
        query = (
            self._place.joined(select(FaceTable.number))
            .where(*self._with_embedding())
            .order_by(FaceTable.number)
        )
        parts = [
            np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=len(rows))
            for rows in self._streamed(query)
        ]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def _with_embedding(self) -> tuple[ColumnElement[bool], ...]:
        """Faces that the collection's embedder has seen: all, where it has one only. Not to look
        this up spares reading their rows, since the numbers are in an index."""
        here = self._here(FaceTable)
        return (here, self._place.present) if self._place.is_joined else (here,)

    def _streamed(self, query: Select[*Ts]) -> Iterator[Sequence[Row[*Ts]]]:
        """The rows of a query in chunks, past the ORM, which has nothing to do for plain columns
        and takes several times as long as the database."""
        connection = self._session.connection()
        options = {"yield_per": _ROWS_AT_ONCE}
        result = connection.execute(query, self._digest, execution_options=options)
        return result.partitions()

    def embedding_count(self, *, up_to: int | None = None) -> int:
        """How many there are in `embeddings`; of faces `up_to` a number, where that is given."""
        query = self._place.joined(select(func.count()).select_from(FaceTable)).where(
            self._here(FaceTable), self._place.present
        )
        if up_to is not None:
            query = query.where(FaceTable.number <= up_to)
        return self._session.scalar(query, self._digest) or 0

    def count(self, wanted: PeopleFilter = EVERYBODY) -> int:
        """How many faces there are, of the people wanted."""
        people = wanted_people(self._collection.number, wanted)
        query = select(func.count()).where(
            self._here(FaceTable), *(FaceTable.identity_number.in_(some) for some in people)
        )
        return self._session.scalar(query) or 0

    def _as_arrays(
        self, rows: Sequence[Row[*tuple[Any, ...]]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        numbers = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        return numbers, self._opened.stacked(rows)

    def not_found(self, face_id: str) -> FaceNotFound:
        """Make the error of a face that is not there."""
        return FaceNotFound(
            f"there is no face {face_id!r} in collection {self._collection.name!r}",
            collection=self._collection.name,
        )


def _scattered(numbers: Any) -> Any:  # noqa: ANN401  (a column, or an array)
    """Map each number to one below the prime, without order; the same in SQL and in numpy."""
    rest = numbers % _PRIME
    for offset in _OFFSETS:
        rest = (rest + offset) % _PRIME
        rest = rest * rest % _PRIME
    return rest
