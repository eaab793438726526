"""The inbox: faces that were answered unknown, grouped as they come, until they are named.

The rule. A face joins the group whose centroid (the mean direction of the group's kept faces) is
most similar to it, if that similarity reaches the threshold; else it begins a group. The threshold
is that by which the face would have been identified, had the group been enrolled.

Every change holds the lock on the row of the collection's inbox, so the rule is applied to one face
after the other, however many processes write. All methods block.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from uuid import uuid4

from app.errors import CollectionNotFound, InvalidRequest, UnknownCropNotKept
from app.gallery.collection_state import CollectionState, CollectionStates
from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.people.enrolment import Enrolled
from app.gallery.records import NewFace, NewIdentity, Page
from app.gallery.retention.clock_guard import SweepMoments
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.remains import is_compacted, known_remains
from app.gallery.store.repositories.crop_repository import NewCrop, UnknownCropRepository
from app.gallery.store.repositories.unknown_repository import UnknownRepository
from app.gallery.store.statements.page_cursors import (
    decode_group_cursor,
    encode_group_cursor,
)
from app.gallery.store.statements.row_records import box_of
from app.gallery.store.storage import erases
from app.gallery.store.tables import UnknownFaceTable, UnknownGroupTable, UnknownInboxTable
from app.gallery.store.transaction import Transaction
from app.gallery.unknowns.unknown_centroids import Centroids, mean_direction
from app.gallery.unknowns.unknown_records import (
    AlikeGroup,
    AlikeGroups,
    GroupOrder,
    InboxLimits,
    Sighting,
    UnknownErasure,
    UnknownFace,
    UnknownGroup,
)
from app.recognition.types import Embedding

_ERASED_AT_ONCE = 1_000
_EVICTED_SHARE = 100
"""A full inbox loses a hundredth at a time: the centroids are read anew after each removal."""


@dataclass(frozen=True, slots=True)
class _Inbox:
    """An inbox that is held for a change."""

    collection: CollectionView
    state: CollectionState
    row: UnknownInboxTable
    unknowns: UnknownRepository
    crops: UnknownCropRepository
    transaction: Transaction

    def removed(self) -> None:
        self.row.removed_at = self.row.sequence


class Unknowns:
    """The inboxes of all collections of a gallery."""

    def __init__(
        self,
        database: Database,
        gallery: Gallery,
        limits: InboxLimits,
        *,
        states: CollectionStates | None = None,
    ) -> None:
        self._database = database
        self._store = Store(database)
        self._gallery = gallery
        self._limits = limits
        self._states = gallery.states if states is None else states
        self._turns: dict[str, Lock] = {}
        """By collection name. Of the threads of this process only one waits for an inbox."""
        self._lock = Lock()

    def make_room(self) -> bool:
        """Return whether there is more room on the disk now, for an erasure."""
        return self._database.make_room()

    # -- what comes in ---------------------------------------------------------------------------

    def keep(
        self,
        collection_name: str,
        sightings: Sequence[Sighting],
        threshold: float,
        *,
        digest: str | None = None,
    ) -> list[str]:
        """Put faces into their groups, one after the other, and return these groups' ids.

        `digest` is of the embedder that the threshold is for; None: the service's own. A face of a
        photo that was kept before is not counted again. Returns an empty list when the collection
        no longer keeps unknown faces, or has gone over to another embedder.
        """
        state: CollectionState | None = None
        with self._turn(collection_name):
            try:
                with self._changing(collection_name) as inbox:
                    state = inbox.state
                    if not self._is_wanted(inbox.collection, digest or self._gallery.model.digest):
                        return []
                    centroids = _followed(inbox)
                    inbox.row.threshold = threshold
                    ids = []
                    counted: dict[str, bool] = {}
                    for sighting in _without_erased_people(inbox, sightings):
                        seen = self._seen_by(inbox, sighting)
                        group, is_counted = self._place(inbox, centroids, seen, threshold)
                        ids.append(group.id)
                        if is_counted and group.id not in counted:
                            counted[group.id] = group.seen_count == 1
                    terminal_id = next((one.terminal_id for one in sightings), None)
                    _note_kept(inbox.transaction, counted, terminal_id)
                    self._evict(inbox)
            except BaseException:
                if state is not None:
                    state.centroids = None  # it may hold what was never committed
                raise
        return ids

    def _place(
        self, inbox: _Inbox, centroids: Centroids, sighting: Sighting, threshold: float
    ) -> tuple[UnknownGroupTable, bool]:
        """Return the group of a face, and whether it counts: a photo sent again does not."""
        known = inbox.unknowns.group_of(sighting)
        if known is not None:
            return known, False
        now = datetime.now(UTC)
        nearest = centroids.nearest(sighting.embedding)
        if nearest is not None and nearest[1] >= threshold:
            group = inbox.unknowns.group_by_number(nearest[0])
        else:
            group = inbox.unknowns.add_group(inbox.row.sequence, sighting.embedding, now)
        face = inbox.unknowns.add_face(group, sighting, now)
        crop = sighting.sealed_crop
        if crop is not None and inbox.crops.are_kept and inbox.crops.accept(crop):
            inbox.crops.add([NewCrop(face.number, face.id, group.number, crop)])
        group.seen_count += 1
        group.last_seen_at = now
        centroid = self._refresh(inbox, group)
        assert centroid is not None
        centroids.put(group.number, centroid)
        return group, True

    def _evict(self, inbox: _Inbox) -> None:
        over = inbox.unknowns.face_count() - self._limits.faces
        if over > 0:
            most = over + self._limits.faces // _EVICTED_SHARE
            self._remove(inbox, *inbox.unknowns.oldest(most), why="full")

    # -- what is there ---------------------------------------------------------------------------

    @read_again
    def list_groups(
        self,
        collection_name: str,
        order: GroupOrder,
        *,
        min_count: int,
        limit: int,
        cursor: str | None,
    ) -> Page[UnknownGroup]:
        """Groups that were seen at least `min_count` times.

        A group that is seen again while the pages are read moves towards the front.
        """
        after = decode_group_cursor(order, cursor)
        with self._store.reading(collection_name) as transaction:
            unknowns = transaction.unknowns
            rows = unknowns.page(order, min_count=min_count, after=after, limit=limit + 1)
            items = tuple(unknowns.group_records(rows[:limit]))
            more = len(rows) > limit
            return Page(items, encode_group_cursor(order, rows[limit - 1]) if more else None)

    @read_again
    def get_group(
        self, collection_name: str, group_id: str
    ) -> tuple[UnknownGroup, tuple[UnknownFace, ...]]:
        """A group and its kept faces, oldest first. Raises UnknownGroupNotFound."""
        with self._store.reading(collection_name) as transaction:
            unknowns = transaction.unknowns
            row = unknowns.get_group(group_id)
            (group,) = unknowns.group_records([row])
            return group, unknowns.records(unknowns.faces(row))

    @read_again
    def sealed_crop(self, collection_name: str, group_id: str, face_id: str) -> bytes:
        """Read the crop of a face, as `CropVault` sealed it for this id.

        Raises UnknownGroupNotFound, UnknownFaceNotFound and UnknownCropNotKept.
        """
        with self._store.reading(collection_name) as transaction:
            unknowns = transaction.unknowns
            (face,) = unknowns.some_faces(unknowns.get_group(group_id), [face_id])
            sealed = transaction.unknown_crops.find(face.number)
            if sealed is None:
                raise UnknownCropNotKept(
                    _no_crop(transaction.collection, face_id), collection=collection_name
                )
            return sealed

    @read_again
    def most_alike(
        self, collection_name: str, sightings: Sequence[Sighting], limit: int
    ) -> tuple[AlikeGroups, ...]:
        """For each face, the groups that are most like it. Nothing is kept.

        Raises EmbedderMismatch.
        """
        with self._store.reading(collection_name) as transaction:
            unknowns = transaction.unknowns
            threshold = unknowns.threshold()
            found = []
            for sighting in sightings:
                probe = self._gallery.embedders.seen_by(transaction.collection, sighting)
                alike = unknowns.most_alike(probe, limit)
                groups = unknowns.group_records([row for row, _ in alike])
                pairs = zip(groups, alike, strict=True)
                found.append(
                    AlikeGroups(
                        tuple(AlikeGroup(group, similarity) for group, (_, similarity) in pairs),
                        threshold,
                    )
                )
            return tuple(found)

    # -- what people do with it ------------------------------------------------------------------

    def name(
        self,
        collection_name: str,
        group_id: str,
        who: NewIdentity | str,
        face_ids: Sequence[str] | None,
    ) -> Enrolled:
        """Enroll a group's faces, or some of them, as a new person or as more of one (by id).

        They leave the inbox in the same transaction. Returns as `GalleryPeople.enroll` does, in
        the order of the group's faces. Raises UnknownGroupNotFound, UnknownFaceNotFound,
        IdentityNotFound, ExternalIdTaken and EmbedderMismatch.
        """

        def take(transaction: Transaction) -> list[NewFace]:
            unknowns = transaction.unknowns
            collection = transaction.collection
            crops = transaction.unknown_crops
            state = self._states.of(collection)
            inbox = _Inbox(collection, state, unknowns.advance(), unknowns, crops, transaction)
            group = unknowns.get_group(group_id)
            rows = (
                unknowns.faces(group) if face_ids is None else unknowns.some_faces(group, face_ids)
            )
            # Not after they are taken out. Those of a collection without crops go with the rest.
            keeps = collection.options.crops.keep
            sealed = crops.some([row.number for row in rows]) if keeps else {}
            faces = [
                _enrollable(row, unknowns.embedding_of(row), sealed.get(row.number)) for row in rows
            ]
            transaction.note(
                Action.UNKNOWN_NAMED, group_id=group.id, face_ids=[row.id for row in rows]
            )
            self._take_out(inbox, group, rows)
            return faces

        if isinstance(who, str):
            return self._gallery.faces.add(collection_name, who, take)
        return self._gallery.people.enroll(collection_name, who, take)

    def merge(self, collection_name: str, group_ids: Sequence[str]) -> UnknownGroup:
        """Make one group of several; it keeps the id of the oldest. Raises UnknownGroupNotFound."""
        with self._changing(collection_name) as inbox:
            first, *others = sorted(
                {group_id: inbox.unknowns.get_group(group_id) for group_id in group_ids}.values(),
                key=lambda group: group.number,
            )
            for other in others:
                numbers, _ = inbox.unknowns.kept_embeddings(other)
                inbox.unknowns.move_faces(numbers, first)
                first.seen_count += other.seen_count
                first.first_seen_at = min(first.first_seen_at, other.first_seen_at)
                first.last_seen_at = max(first.last_seen_at, other.last_seen_at)
            if others:
                inbox.unknowns.delete_groups([other.number for other in others])
                inbox.removed()
                gone = [other.id for other in others]
                inbox.transaction.note(Action.UNKNOWN_MERGED, group_id=first.id, merged=gone)
            self._refresh(inbox, first)
            (merged,) = inbox.unknowns.group_records([first])
        return merged

    def split(self, collection_name: str, group_id: str, face_ids: Sequence[str]) -> UnknownGroup:
        """Move some faces of a group into a new one.

        Raises UnknownGroupNotFound, UnknownFaceNotFound, and InvalidRequest when none would stay.
        """
        with self._changing(collection_name) as inbox:
            group = inbox.unknowns.get_group(group_id)
            faces = inbox.unknowns.some_faces(group, face_ids)
            stay = len(inbox.unknowns.faces(group)) - len(faces)
            if not stay:
                raise InvalidRequest(
                    f"these are all {len(faces)} faces of group {group_id}; leave at least one in "
                    "it"
                )
            first_seen_at = min(face.seen_at for face in faces)
            vector = inbox.unknowns.embedding_of(faces[0])
            new = inbox.unknowns.add_group(inbox.row.sequence, vector, first_seen_at)
            new.last_seen_at = max(face.seen_at for face in faces)
            new.seen_count = len(faces)
            group.seen_count = max(stay, group.seen_count - len(faces))
            inbox.unknowns.move_faces([face.number for face in faces], new)
            self._refresh(inbox, new)
            self._refresh(inbox, group)
            inbox.transaction.note(
                Action.UNKNOWN_SPLIT,
                group_id=group.id,
                new_group_id=new.id,
                face_ids=[face.id for face in faces],
            )
            (made,) = inbox.unknowns.group_records([new])
        return made

    @erases
    def dismiss(
        self, collection_name: str, group_id: str, *, compact: bool = False
    ) -> UnknownErasure:
        """Erase a group. Nothing of it is kept, so the person begins a new one when seen again."""
        with self._changing(collection_name) as inbox:
            group = inbox.unknowns.get_group(group_id)
            rows = inbox.unknowns.faces(group)
            receipt = self._dismissed(inbox, group, rows)
        return self._finished(receipt, compact=compact)

    @erases
    def dismiss_face(
        self, collection_name: str, group_id: str, face_id: str, *, compact: bool = False
    ) -> UnknownErasure:
        """Erase one face; a group without any goes with it. Raises UnknownFaceNotFound."""
        with self._changing(collection_name) as inbox:
            group = inbox.unknowns.get_group(group_id)
            rows = inbox.unknowns.some_faces(group, [face_id])
            receipt = self._dismissed(inbox, group, rows)
        return self._finished(receipt, compact=compact)

    @erases
    def erase_expired(self, moments: SweepMoments | None = None) -> dict[str, int]:
        """Erase the faces that were kept for long enough; return how many, by collection.

        Also drops from memory what other processes have erased. `moments`: by which they expire; by
        the system clock if not given.
        """
        moments = moments or SweepMoments.believing(datetime.now(UTC))
        waiting: dict[str, datetime] = {}
        current: dict[int, UnknownInboxTable] = {}
        with self._store.reading_all() as collections:
            for collection, inbox in collections.inboxes():
                current[collection.number] = inbox
                unknowns = collections.within(collection).unknowns
                kept = timedelta(seconds=self._retention_s(collection))
                if unknowns.seen_before(moments.claimed - kept, most=1)[0]:
                    waiting[collection.name] = (
                        moments.moment(
                            "unknown_faces",
                            collection.name,
                            partial(_seen_before, unknowns, kept),
                            unknowns.face_count(),
                        )
                        - kept
                    )
        self._forget_all_but(current)
        erased = {name: self._erase_before(name, moment) for name, moment in waiting.items()}
        return {name: count for name, count in erased.items() if count}

    def forget_centroids(self) -> None:
        """Drop what is kept in memory; the next face reads it anew."""
        self._forget_all_but({})

    # -- helpers ---------------------------------------------------------------------------------

    @contextmanager
    def _changing(self, name: str) -> Iterator[_Inbox]:
        """A transaction that holds a collection's inbox at its next sequence."""
        with self._store.writing_all() as collections:
            # First: a deletion holds the collection before it comes to the inbox.
            held = collections.hold(name)
            row = collections.within(held).unknowns.advance()
            # Changed, perhaps, while the inbox was awaited.
            collection = collections.reread(held)
            transaction = collections.within(collection)
            yield _Inbox(
                collection,
                self._states.of(collection),
                row,
                transaction.unknowns,
                transaction.unknown_crops,
                transaction,
            )

    def _refresh(self, inbox: _Inbox, group: UnknownGroupTable) -> Embedding | None:
        """Make a group's centroid that of its faces, of which the newest stay, and return it.

        None where no face is left, and the group with it.
        """
        numbers, embeddings = inbox.unknowns.kept_embeddings(group)
        if not numbers:
            inbox.unknowns.delete_groups([group.number])
            inbox.removed()
            return None
        most = self._limits.faces_a_group
        inbox.unknowns.delete_faces(numbers[most:])
        centroid = mean_direction(embeddings[:most])
        inbox.unknowns.set_centroid(group, centroid)
        group.sequence = inbox.row.sequence
        return centroid

    def _take_out(
        self, inbox: _Inbox, group: UnknownGroupTable, faces: Sequence[UnknownFaceTable]
    ) -> UnknownErasure:
        """Erase faces of a group, and the group when none is left."""
        ids = tuple(face.id for face in faces)
        numbers = [face.number for face in faces]
        crops = len(inbox.crops.among(numbers))
        group.seen_count = max(1, group.seen_count - len(faces))
        inbox.unknowns.delete_faces(numbers)
        left = self._refresh(inbox, group) is not None
        inbox.removed()  # also when a centroid only changed: nothing of the face stays in memory
        return UnknownErasure(
            collection=inbox.collection.name,
            group_ids=() if left else (group.id,),
            face_ids=ids,
            erased_at=datetime.now(UTC),
            crop_count=crops,
            receipt_id=uuid4().hex,
        )

    def _dismissed(
        self, inbox: _Inbox, group: UnknownGroupTable, faces: Sequence[UnknownFaceTable]
    ) -> UnknownErasure:
        """Erase faces of a group because a person asked for it, which leaves a receipt."""
        group_id = group.id
        receipt = self._take_out(inbox, group, faces)
        inbox.transaction.note(
            Action.UNKNOWN_ERASED,
            receipt_id=receipt.receipt_id,
            group_id=group_id,
            face_ids=list(receipt.face_ids),
            why="asked",
        )
        return receipt

    def _remove(
        self, inbox: _Inbox, numbers: Sequence[int], groups: Sequence[int], *, why: str
    ) -> None:
        """Erase faces, whose groups still count them as seen."""
        inbox.unknowns.delete_faces(numbers)
        for number in groups:
            self._refresh(inbox, inbox.unknowns.group_by_number(number))
        inbox.removed()
        if numbers:
            inbox.transaction.note(Action.UNKNOWN_ERASED, why=why, faces=len(numbers))

    def _erase_before(self, name: str, moment: datetime) -> int:
        count = 0
        with suppress(CollectionNotFound):  # another process deleted it
            while True:
                with self._changing(name) as inbox:
                    numbers, groups = inbox.unknowns.seen_before(moment, most=_ERASED_AT_ONCE)
                    self._remove(inbox, numbers, groups, why="expired")
                count += len(numbers)
                if len(numbers) < _ERASED_AT_ONCE:
                    break
        return count

    def _retention_s(self, collection: CollectionView) -> float:
        chosen = collection.options.unknowns.retention_s
        return self._limits.retention_s if chosen is None else chosen

    def _is_wanted(self, collection: CollectionView, digest: str) -> bool:
        """Return whether the collection is of this embedder and (still) keeps unknown faces."""
        is_ours = collection.digest == digest and self._gallery.embedders.run(collection)
        return is_ours and collection.options.unknowns.keep

    def _seen_by(self, inbox: _Inbox, sighting: Sighting) -> Sighting:
        """Return the sighting with its embedding by the collection's embedder."""
        embedding = self._gallery.embedders.seen_by(inbox.collection, sighting)
        return replace(sighting, embedding=embedding, next_embedding=None)

    def _finished(self, receipt: UnknownErasure, *, compact: bool) -> UnknownErasure:
        look = self._database.compact if compact else self._database.remains
        remains = known_remains(look, receipt.receipt_id)
        return replace(receipt, remains=remains, compacted=is_compacted(remains))

    def _turn(self, name: str) -> Lock:
        with self._lock:
            return self._turns.setdefault(name, Lock())

    def _forget_all_but(self, current: dict[int, UnknownInboxTable]) -> None:
        """Drop the centroids of inboxes that are gone, or from which something went away."""
        for (number, _), state in self._states.items():
            inbox = current.get(number)
            centroids = state.centroids
            if centroids is not None and (inbox is None or centroids.is_outdated(inbox)):
                state.centroids = None


def _note_kept(
    transaction: Transaction, is_new: Mapping[str, bool], terminal_id: str | None
) -> None:
    """Note groups by their ids: new ones, those seen again, and those that only stay there."""
    now = transaction.recent_events.claim(is_new, terminal_id)
    groups: dict[Action, list[str]] = {}
    for group_id, new in is_new.items():
        again = Action.UNKNOWN_AGAIN if group_id in now else Action.UNKNOWN_COUNTED
        groups.setdefault(Action.UNKNOWN_KEPT if new else again, []).append(group_id)
    for action, ids in groups.items():
        transaction.note(action, group_ids=ids, terminal_id=terminal_id)


def _seen_before(unknowns: UnknownRepository, kept: timedelta, moment: datetime) -> int:
    return unknowns.count_seen_before(moment - kept)


def _followed(inbox: _Inbox) -> Centroids:
    """The centroids as they are now. Requires the turn of this process and the inbox's row."""
    known = inbox.state.centroids
    if known is None:
        known = inbox.state.centroids = Centroids(inbox.collection.dimension)
    known.follow(inbox.unknowns, inbox.row)
    return known


def _enrollable(row: UnknownFaceTable, embedding: Embedding, sealed_crop: bytes | None) -> NewFace:
    """The face keeps its id, for which its crop is sealed."""
    return NewFace(
        embedding=embedding,
        box=box_of(row.box),
        landmarks=None,
        detection_score=row.detection_score,
        image_sha256=row.image_sha256,
        face_id=row.id,
        sealed_crop=sealed_crop,
    )


def _no_crop(collection: CollectionView, face_id: str) -> str:
    if not collection.options.unknowns.crops:
        return (
            f"unknown face {face_id} has no crop: collection {collection.name!r} keeps none of "
            "unknown faces"
        )
    return (
        f"unknown face {face_id} has no crop: it was kept before collection {collection.name!r} "
        "kept crops, while the service had no key for them, or was sent as an embedding"
    )


def _without_erased_people(inbox: _Inbox, sightings: Sequence[Sighting]) -> list[Sighting]:
    """Drop references to people who are erased by now. A later erasure waits for this lock."""
    named = [s.nearest_identity_id for s in sightings if s.nearest_identity_id is not None]
    there = inbox.unknowns.still_there(named)
    return [
        s if s.nearest_identity_id in there else replace(s, nearest_identity_id=None)
        for s in sightings
    ]
