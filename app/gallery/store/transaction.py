"""One transaction: on one collection, or on all."""

from functools import cached_property
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from app.gallery.journal.actions import SERVICE_CHAIN, Action, Note
from app.gallery.journal.journal import note_in
from app.gallery.records import DecisionBasis
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.idempotency import Once
from app.gallery.store.repositories.announcement import announce
from app.gallery.store.repositories.audit_repository import AuditRepository
from app.gallery.store.repositories.calibration_repository import CalibrationRepository
from app.gallery.store.repositories.change_repository import ChangeRepository
from app.gallery.store.repositories.clock_repository import ClockRepository
from app.gallery.store.repositories.collection_repository import Calibrated, CollectionRepository
from app.gallery.store.repositories.consent_repository import ConsentRepository
from app.gallery.store.repositories.crop_repository import (
    CropRepository,
    UnknownCropRepository,
)
from app.gallery.store.repositories.dismissal_repository import DismissalRepository
from app.gallery.store.repositories.event_repository import EventRepository
from app.gallery.store.repositories.face_list_repository import FaceListRepository
from app.gallery.store.repositories.face_repository import FaceRepository
from app.gallery.store.repositories.hold_repository import HoldRepository
from app.gallery.store.repositories.idempotency_repository import IdempotencyRepository
from app.gallery.store.repositories.identity_repository import IdentityRepository
from app.gallery.store.repositories.key_repository import KeyRepository
from app.gallery.store.repositories.owner_key_repository import PEOPLE
from app.gallery.store.repositories.people_repository import PeopleRepository
from app.gallery.store.repositories.position_repository import PositionRepository
from app.gallery.store.repositories.recent_event_repository import (
    RecentEventRepository,
    forget_recent_events,
)
from app.gallery.store.repositories.rollout_repository import RolloutRepository
from app.gallery.store.repositories.scoped_repository import ScopedRepository
from app.gallery.store.repositories.signed_head_repository import SignedHeadRepository
from app.gallery.store.repositories.snapshot_key_repository import SnapshotKeyRepository
from app.gallery.store.repositories.space_repository import SpaceRepository
from app.gallery.store.repositories.target_repository import TargetRepository
from app.gallery.store.repositories.terminal_repository import TerminalRepository
from app.gallery.store.repositories.unknown_repository import UnknownRepository
from app.gallery.store.repositories.webhook_repository import WebhookRepository
from app.gallery.vault.row_seals import RowSeals, seals_of
from app.gallery.vault.vault import vault_of
from app.recognition.types import ModelId

ResultT = TypeVar("ResultT")
RepositoryT = TypeVar("RepositoryT", bound=ScopedRepository)


class _Part(Generic[RepositoryT]):
    """A repository of a transaction's collection, which is made when it is first asked for."""

    def __init__(self, kind: type[RepositoryT]) -> None:
        self._kind = kind

    def __set_name__(self, owner: type["Transaction"], name: str) -> None:
        self._name = name

    def __get__(self, transaction: "Transaction", owner: type["Transaction"]) -> RepositoryT:
        made = self._kind(transaction.session, transaction.collection)
        transaction.__dict__[self._name] = made  # where Python looks first from now on
        return made


class Transaction:
    """One transaction on one collection, by the embedder of `collection`.

    The repositories read and write what belongs to this collection. `collection` is a value: a
    change of the collection itself returns another one, which `at` takes.
    """

    identities = _Part(IdentityRepository)
    people = _Part(PeopleRepository)
    consents = _Part(ConsentRepository)
    faces = _Part(FaceRepository)
    face_lists = _Part(FaceListRepository)
    crops = _Part(CropRepository)
    changes = _Part(ChangeRepository)
    unknowns = _Part(UnknownRepository)
    unknown_crops = _Part(UnknownCropRepository)
    terminals = _Part(TerminalRepository)
    recent_events = _Part(RecentEventRepository)
    calibration = _Part(CalibrationRepository)
    rollout = _Part(RolloutRepository)
    dismissals = _Part(DismissalRepository)
    holds = _Part(HoldRepository)

    def __init__(
        self, session: Session, collection: CollectionView, calibrated: Calibrated | None = None
    ) -> None:
        self.session = session
        self.collection = collection
        self._calibrated = calibrated

    @cached_property
    def collections(self) -> "Collections":
        return Collections(self.session)

    @cached_property
    def answers(self) -> IdempotencyRepository:
        return IdempotencyRepository(self.session)

    @cached_property
    def seals(self) -> RowSeals:
        """The keys of the collection's people."""
        return seals_of(self.session, self.collection, PEOPLE)

    @property
    def basis(self) -> DecisionBasis:
        """Return what the collection's decisions rest on."""
        collection = self.collection
        measured_at = (
            self.calibration.measured_at()
            if self._calibrated is None
            else self._calibrated.get(collection.digest)
        )
        # The moment identifies the calibration, and is read faster than its map.
        calibration = (
            None
            if measured_at is None
            else f"{collection.number}:{collection.digest}:{measured_at.isoformat()}"
        )
        return DecisionBasis(collection.number, collection.model, collection.options, calibration)

    def at(self, collection: CollectionView) -> "Transaction":
        """The same transaction with the collection as it is after a change."""
        return Transaction(self.session, collection, self._calibrated)

    def by(self, digest: str) -> "Transaction | None":
        """The same transaction by one of the collection's embedders; None if it has no such."""
        view = self.collection.by(digest)
        return None if view is None else self.at(view)

    def by_other_embedder(self) -> "Transaction | None":
        """The same transaction by the collection's other embedder; None if it has only one."""
        view = self.collection.by_other_embedder()
        return None if view is None else self.at(view)

    def note(
        self,
        action: Action,
        identity_id: str | None = None,
        *,
        receipt_id: str | None = None,
        **details: object,
    ) -> None:
        """Note a change of this collection for the audit log, by ids alone.

        It is written when the transaction is committed. `details` are values of JSON.
        """
        self.collections.note(
            action, self.collection, identity_id, receipt_id=receipt_id, **details
        )

    def claim(self, once: Once[ResultT] | None) -> None:
        """Take the key of `once`, before anything is changed. Raises AnsweredBeforeError."""
        self.answers.claim(once)

    def keep(
        self, once: Once[ResultT] | None, result: ResultT, identity_id: str | None = None
    ) -> None:
        """Keep the answer to `once`, about this collection and perhaps this person."""
        self.answers.keep(once, result, self.collection.number, identity_id)


class Collections(CollectionRepository):
    """One transaction on all collections of a database."""

    @cached_property
    def answers(self) -> IdempotencyRepository:
        return IdempotencyRepository(self._session)

    def note(
        self,
        action: Action,
        collection: CollectionView | None,
        identity_id: str | None = None,
        *,
        receipt_id: str | None = None,
        **details: object,
    ) -> None:
        """Note a change of a collection, or of none, for the audit log; see `Transaction.note`."""
        note = Note(
            action,
            SERVICE_CHAIN if collection is None else collection.number,
            None if collection is None else collection.name,
            identity_id,
            receipt_id,
            details=details,
        )
        self.add_note(note)

    def add_note(self, note: Note) -> None:
        """Note what was done earlier, by the caller of that time."""
        note_in(self._session, note)

    def add(
        self,
        name: str,
        description: str | None,
        model: ModelId,
        *,
        revision: int = 0,
        **columns: object,
    ) -> CollectionView:
        """Add a collection as `CollectionRepository.add` does, encrypted if there is a master."""
        made = super().add(name, description, model, revision=revision, **columns)
        return self.begin_sealing(made, is_complete=True)

    def begin_sealing(self, collection: CollectionView, *, is_complete: bool) -> CollectionView:
        """Seal what is written to a collection from now on, under a new key, if there is a master.

        `is_complete`: nothing of it is in the clear. Requires the lock on the collection, unless it
        is new.
        """
        vault = vault_of(self._session)
        if not vault.is_on:
            return collection
        generation = vault.begin(self._session, collection.number, is_complete=is_complete)
        return self.set_key_generation(collection, generation)

    def within(self, collection: CollectionView) -> Transaction:
        """The same transaction on one collection."""
        return Transaction(self._session, collection)

    def forget_recent_events(self) -> None:
        """Delete what no event waits for any more; see `RecentEventRepository`."""
        forget_recent_events(self._session)

    @cached_property
    def keys(self) -> KeyRepository:
        return KeyRepository(self._session)

    @cached_property
    def clock(self) -> ClockRepository:
        return ClockRepository(self._session)

    @cached_property
    def audit(self) -> AuditRepository:
        return AuditRepository(self._session)

    @cached_property
    def signed_heads(self) -> SignedHeadRepository:
        return SignedHeadRepository(self._session)

    @cached_property
    def events(self) -> EventRepository:
        return EventRepository(self._session)

    @cached_property
    def targets(self) -> TargetRepository:
        return TargetRepository(self._session)

    @cached_property
    def webhooks(self) -> WebhookRepository:
        return WebhookRepository(self._session)

    def snapshot_keys(self, collection_number: int) -> SnapshotKeyRepository:
        """The keys of a collection's snapshots."""
        return SnapshotKeyRepository(self._session, collection_number)

    def spaces(self, collection: CollectionView) -> SpaceRepository:
        """The rotations of a collection's vectors outside of this process."""
        return SpaceRepository(self._session, collection)

    def announce(self) -> None:
        """Wake the other processes when this is committed."""
        announce(self._session)

    def positions(self, store: str) -> PositionRepository:
        """How far an index outside of this process, such as a Milvus server, has come."""
        return PositionRepository(self._session, store)
