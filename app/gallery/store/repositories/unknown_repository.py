"""SQL of the inbox of unknown faces."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, delete, func, literal, select, tuple_, update
from sqlalchemy.orm import Session

from app.errors import EmbeddingUnreadable, UnknownFaceNotFound, UnknownGroupNotFound
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.repositories.crop_repository import UnknownCropRepository
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.statements.among_numbers import among
from app.gallery.store.statements.row_records import box_of, record_of
from app.gallery.store.statements.vector_bytes import from_bytes, stacked, to_bytes
from app.gallery.store.tables import (
    IdentityTable,
    UnknownFaceTable,
    UnknownGroupTable,
    UnknownInboxTable,
)
from app.gallery.unknowns.unknown_records import (
    GroupOrder,
    NewestFace,
    Sighting,
    UnknownFace,
    UnknownGroup,
)
from app.gallery.vault.opened_unknowns import OpenedUnknowns
from app.recognition.types import Embedding

_RANKED = (
    select(
        UnknownFaceTable.group_number,
        UnknownFaceTable.number,
        UnknownFaceTable.id,
        func.row_number()
        .over(
            partition_by=UnknownFaceTable.group_number,
            order_by=(UnknownFaceTable.seen_at.desc(), UnknownFaceTable.number.desc()),
        )
        .label("place"),
        func.count().over(partition_by=UnknownFaceTable.group_number).label("face_count"),
    )
    .where(among(UnknownFaceTable.group_number, "groups"))
    .subquery()
)
_SHOWN = select(_RANKED).where(_RANKED.c.place == 1)
"""The newest face of each group, and how many faces are kept of it."""
_ROWS_AT_ONCE = 10_000  # SQLite takes at most 32,766 values in a statement

GroupKey = tuple[int | datetime, int]
"""Where a list of groups stands: what it is ordered by, and the number of the last one."""


class UnknownRepository(ScopedRepository):
    """The inbox of one collection.

    Where the collection is encrypted, each group has a key, under which its centroid, embeddings
    and crops are sealed. A vector that does not open counts as zeros, which are like none.
    """

    def __init__(self, session: Session, collection: CollectionView) -> None:
        super().__init__(session, collection)
        self._opened = OpenedUnknowns(session, collection)

    # -- the inbox as a whole --------------------------------------------------------------------

    def advance(self) -> UnknownInboxTable:
        """Take the inbox's next sequence, and the lock on its row until the commit."""
        inbox = self.advance_if_there()
        if inbox is None:
            self._add_inbox()
            inbox = self.advance_if_there()
        assert inbox is not None
        return inbox

    def advance_if_there(self) -> UnknownInboxTable | None:
        """Advance the inbox as `advance` does; None when no face was ever kept here."""
        query = (
            update(UnknownInboxTable)
            .where(self._here(UnknownInboxTable))
            .values(sequence=UnknownInboxTable.sequence + 1)
            .returning(UnknownInboxTable)
            .execution_options(populate_existing=True)
        )
        return self._session.scalar(query)

    def empty(self) -> None:
        """Erase everything in it."""
        inbox = self.advance_if_there()
        if inbox is not None:
            inbox.removed_at = inbox.sequence
            self._session.execute(delete(UnknownGroupTable).where(self._here(UnknownGroupTable)))

    def still_there(self, identity_ids: Sequence[str]) -> set[str]:
        """Return the people among these who are enrolled."""
        query = select(IdentityTable.id).where(
            self._here(IdentityTable), IdentityTable.id.in_(identity_ids)
        )
        return set(self._session.scalars(query)) if identity_ids else set()

    def face_count(self) -> int:
        return self._session.scalar(select(func.count()).where(self._here(UnknownFaceTable))) or 0

    def centroids(self, *, after: int = -1) -> tuple[list[int], NDArray[np.float32]]:
        """Numbers of the groups that changed after a sequence, and their centroids, (N, dimension).

        In the order of their numbers.
        """
        query = (
            self._opened.with_keys(
                select(
                    UnknownGroupTable.number,
                    UnknownGroupTable.centroid,
                    UnknownGroupTable.id,
                    *self._opened.key_columns,
                ),
                UnknownGroupTable.number,
            )
            .where(self._here(UnknownGroupTable), UnknownGroupTable.sequence > after)
            .order_by(UnknownGroupTable.number)
        )
        # Past the ORM, which has nothing to do for plain columns.
        rows = self._session.connection().execute(query).all()
        vectors = [
            self._opened.centroid((data, group_id, number, *keys))
            for number, data, group_id, *keys in rows
        ]
        return [row[0] for row in rows], stacked(vectors, self._collection.dimension)

    def embeddings(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield the group numbers of all faces, shape (N,), with their embeddings, in chunks."""
        query = self._opened.with_keys(
            select(
                UnknownFaceTable.group_number,
                UnknownFaceTable.embedding,
                UnknownFaceTable.id,
                *self._opened.key_columns,
            ),
            UnknownFaceTable.group_number,
        ).where(self._here(UnknownFaceTable))
        result = self._session.connection().execute(
            query, execution_options={"yield_per": _ROWS_AT_ONCE}
        )
        for rows in result.partitions():
            vectors = [
                self._opened.embedding((data, face_id, group, *keys))
                for group, data, face_id, *keys in rows
            ]
            yield (
                np.array([row[0] for row in rows], dtype=np.int64),
                stacked(vectors, self._collection.dimension),
            )

    def threshold(self) -> float | None:
        """The similarity by which faces are grouped; None when no face was ever kept here."""
        query = select(UnknownInboxTable.threshold).where(self._here(UnknownInboxTable))
        return self._session.scalar(query)

    def most_alike(self, probe: Embedding, limit: int) -> list[tuple[UnknownGroupTable, float]]:
        """The groups with the faces most like a probe, and the similarity of their most alike one.

        All faces are read: an inbox has some ten thousand, and is searched seldom.
        """
        best: dict[int, float] = {}
        for numbers, embeddings in self.embeddings():
            similarities = embeddings @ probe
            order = np.argsort(similarities)  # of each group, the most alike is written last
            found = zip(numbers[order].tolist(), similarities[order].tolist(), strict=True)
            for number, similarity in dict(found).items():
                best[number] = max(similarity, best.get(number, -1.0))
            nearest = sorted(best, key=best.__getitem__, reverse=True)[:limit]
            best = {number: best[number] for number in nearest}
        return [(self.group_by_number(number), similarity) for number, similarity in best.items()]

    # -- groups ----------------------------------------------------------------------------------

    def get_group(self, group_id: str) -> UnknownGroupTable:
        row = self._session.scalar(
            select(UnknownGroupTable).where(
                self._here(UnknownGroupTable), UnknownGroupTable.id == group_id
            )
        )
        if row is None:
            raise UnknownGroupNotFound(
                f"there is no group {group_id!r} of unknown faces in collection "
                f"{self._collection.name!r}; it may have been named, merged, dismissed or kept for "
                "long enough",
                collection=self._collection.name,
            )
        return row

    def group_by_number(self, number: int) -> UnknownGroupTable:
        return self._session.get_one(UnknownGroupTable, number)

    def page(
        self, order: GroupOrder, *, min_count: int, after: GroupKey | None, limit: int
    ) -> Sequence[UnknownGroupTable]:
        key = (
            UnknownGroupTable.last_seen_at
            if order is GroupOrder.NEWEST
            else UnknownGroupTable.seen_count
        )
        query = (
            select(UnknownGroupTable)
            .where(self._here(UnknownGroupTable), UnknownGroupTable.seen_count >= min_count)
            .order_by(key.desc(), UnknownGroupTable.number.desc())
            .limit(limit)
        )
        if after is not None:
            value, number = after
            there = tuple_(literal(value, key.type), literal(number))
            query = query.where(tuple_(key, UnknownGroupTable.number) < there)
        return self._session.scalars(query).all()

    def add_group(self, sequence: int, centroid: Embedding, at: datetime) -> UnknownGroupTable:
        """Add an empty group; its centroid is computed anew once it has faces."""
        row = UnknownGroupTable(
            collection_number=self._collection.number,
            sequence=sequence,
            centroid=b"",  # until the group has a number, and with it a key
            seen_count=0,
            first_seen_at=at,
            last_seen_at=at,
        )
        self._session.add(row)
        self._session.flush()
        self._opened.begin(row.number)
        self.set_centroid(row, centroid)
        self._session.flush()
        return row

    def set_centroid(self, group: UnknownGroupTable, centroid: Embedding) -> None:
        """Write the mean direction of a group's faces."""
        group.centroid = self._opened.sealed_centroid(group, to_bytes(centroid))

    def delete_groups(self, numbers: Sequence[int]) -> None:
        """Delete groups with their faces."""
        self._delete(UnknownGroupTable, numbers)

    def group_records(self, rows: Sequence[UnknownGroupTable]) -> list[UnknownGroup]:
        groups = [row.number for row in rows]
        shown = self._session.execute(_SHOWN, {"groups": groups}).all()
        crops = UnknownCropRepository(self._session, self._collection)
        with_crop = crops.among([face.number for face in shown])
        kept = {
            face.group_number: (face.face_count, NewestFace(face.id, face.number in with_crop))
            for face in shown
        }
        return [
            record_of(UnknownGroup, row, face_count=count, newest_face=newest)
            for row in rows
            for count, newest in [kept.get(row.number, (0, None))]
        ]

    # -- faces -----------------------------------------------------------------------------------

    def group_of(self, sighting: Sighting) -> UnknownGroupTable | None:
        """The group that this very face of this very photo is in already."""
        query = (
            select(UnknownGroupTable)
            .join(UnknownFaceTable, UnknownFaceTable.group_number == UnknownGroupTable.number)
            .where(
                self._here(UnknownFaceTable),
                UnknownFaceTable.image_sha256 == sighting.image_sha256,
                UnknownFaceTable.place == sighting.place,
            )
        )
        return self._session.scalar(query)

    def add_face(
        self, group: UnknownGroupTable, sighting: Sighting, at: datetime
    ) -> UnknownFaceTable:
        face_id = sighting.face_id or uuid4().hex
        row = UnknownFaceTable(
            id=face_id,
            collection_number=self._collection.number,
            group_number=group.number,
            embedding=self._opened.sealed(group.number, face_id, to_bytes(sighting.embedding)),
            embedder=self._collection.embedder,
            digest=self._collection.digest,
            box=None if sighting.box is None else list(sighting.box),
            detection_score=sighting.detection_score,
            similarity=sighting.similarity,
            nearest_identity_id=sighting.nearest_identity_id,
            terminal_id=sighting.terminal_id,
            image_sha256=sighting.image_sha256,
            place=sighting.place,
            seen_at=at,
        )
        self._session.add(row)
        self._session.flush()
        return row

    def on_photos(self, image_sha256s: Sequence[str]) -> Sequence[UnknownFaceTable]:
        """All unknown faces that come from these photos."""
        query = select(UnknownFaceTable).where(
            self._here(UnknownFaceTable), UnknownFaceTable.image_sha256.in_(image_sha256s)
        )
        return self._session.scalars(query.order_by(UnknownFaceTable.number)).all()

    def records(self, rows: Sequence[UnknownFaceTable]) -> tuple[UnknownFace, ...]:
        crops = UnknownCropRepository(self._session, self._collection)
        with_crop = crops.among([row.number for row in rows])
        return tuple(
            record_of(
                UnknownFace,
                row,
                box=box_of(row.box),
                has_crop=row.number in with_crop,
                shown_from=None,
            )
            for row in rows
        )

    def faces(self, group: UnknownGroupTable) -> Sequence[UnknownFaceTable]:
        """Return the faces of a group, oldest first."""
        query = (
            select(UnknownFaceTable)
            .where(UnknownFaceTable.group_number == group.number)
            .order_by(UnknownFaceTable.seen_at, UnknownFaceTable.number)
        )
        return self._session.scalars(query).all()

    def some_faces(
        self, group: UnknownGroupTable, face_ids: Sequence[str]
    ) -> Sequence[UnknownFaceTable]:
        """Return these faces of a group, oldest first. Raises UnknownFaceNotFound."""
        faces = self.faces(group)
        missing = set(face_ids) - {face.id for face in faces}
        if missing:
            raise UnknownFaceNotFound(
                f"group {group.id} has no face {min(missing)!r}",
                collection=self._collection.name,
                group_id=group.id,
            )
        return [face for face in faces if face.id in set(face_ids)]

    def embedding_of(self, face: UnknownFaceTable) -> Embedding:
        """Return the embedding of a face. Raises EmbeddingUnreadable."""
        return from_bytes(self._opened.of_row(face))

    def find_embedding(self, face: UnknownFaceTable) -> Embedding | None:
        """Return the embedding of a face; None if it does not open."""
        with suppress(EmbeddingUnreadable):
            return self.embedding_of(face)
        return None

    def kept_embeddings(self, group: UnknownGroupTable) -> tuple[list[int], NDArray[np.float32]]:
        """Numbers of a group's faces, newest first, and their embeddings, (N, dimension)."""
        query = (
            self._opened.with_keys(
                select(
                    UnknownFaceTable.number,
                    UnknownFaceTable.embedding,
                    UnknownFaceTable.id,
                    UnknownFaceTable.group_number,
                    *self._opened.key_columns,
                ),
                UnknownFaceTable.group_number,
            )
            .where(UnknownFaceTable.group_number == group.number)
            .order_by(UnknownFaceTable.seen_at.desc(), UnknownFaceTable.number.desc())
        )
        rows = self._session.execute(query).all()
        vectors = [self._opened.embedding(row[1:]) for row in rows]
        return [row[0] for row in rows], stacked(vectors, self._collection.dimension)

    def move_faces(self, numbers: Sequence[int], group: UnknownGroupTable) -> None:
        """Move faces into another group, under whose key they are sealed.

        Raises EmbeddingUnreadable.
        """
        self._opened.reseal(numbers, group.number)
        self._session.execute(
            update(UnknownFaceTable)
            .where(UnknownFaceTable.number.in_(numbers))
            .values(group_number=group.number)
        )

    def delete_faces(self, numbers: Sequence[int]) -> None:
        self._delete(UnknownFaceTable, numbers)

    def oldest(self, most: int) -> tuple[list[int], list[int]]:
        """Numbers of the oldest faces, and of the groups that they are in."""
        query = (
            select(UnknownFaceTable.number, UnknownFaceTable.group_number)
            .where(self._here(UnknownFaceTable))
            .order_by(UnknownFaceTable.number)
            .limit(most)
        )
        return _pairs(self._session.execute(query))

    def seen_before(self, moment: datetime, *, most: int) -> tuple[list[int], list[int]]:
        """Numbers of faces that were seen by then, and of the groups that they are in."""
        query = (
            select(UnknownFaceTable.number, UnknownFaceTable.group_number)
            .where(self._here(UnknownFaceTable), UnknownFaceTable.seen_at <= moment)
            .order_by(UnknownFaceTable.seen_at)
            .limit(most)
        )
        return _pairs(self._session.execute(query))

    def count_seen_before(self, moment: datetime) -> int:
        """How many faces were seen by then."""
        query = select(func.count()).select_from(UnknownFaceTable)
        where = self._here(UnknownFaceTable), UnknownFaceTable.seen_at <= moment
        return self._session.scalar(query.where(*where)) or 0

    def rename_nearest(self, identity_ids: Sequence[str], to: str | None) -> None:
        """Refer faces that were most like these people to another person, or to none."""
        self._session.execute(
            update(UnknownFaceTable)
            .where(
                self._here(UnknownFaceTable), UnknownFaceTable.nearest_identity_id.in_(identity_ids)
            )
            .values(nearest_identity_id=to)
        )

    def _delete(
        self, kind: type[UnknownGroupTable] | type[UnknownFaceTable], numbers: Sequence[int]
    ) -> None:
        self._session.execute(
            delete(kind).where(among(kind.number, "numbers")),
            {"numbers": numbers},
            execution_options={"synchronize_session": False},
        )

    def _add_inbox(self) -> None:
        """Add the inbox, also when another process adds it at the same time."""
        self._session.execute(
            self._insert(UnknownInboxTable)
            .values(collection_number=self._collection.number, sequence=0, removed_at=0)
            .on_conflict_do_nothing()
        )


def _pairs(rows: Iterable[Row[int, int]]) -> tuple[list[int], list[int]]:
    """The face numbers in their order, and each group number once."""
    numbers, groups = [], set()
    for number, group in rows:
        numbers.append(number)
        groups.add(group)
    return numbers, sorted(groups)
