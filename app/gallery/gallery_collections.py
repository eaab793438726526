"""Create, change and delete collections."""

from collections.abc import Sequence
from typing import Any

import structlog

from app.errors import CollectionExists, EmbedderChanged
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.gallery_part import GalleryPart
from app.gallery.journal.actions import Action
from app.gallery.people.erasure import erase_collection
from app.gallery.people.held_people import require_no_held_crops
from app.gallery.records import Collection, CollectionChanges, DecisionBasis, Erasure, Page, Unset
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import read_again
from app.gallery.store.idempotency import Once
from app.gallery.store.statements.page_cursors import decode_cursor, next_cursor
from app.gallery.store.storage import erases
from app.gallery.store.transaction import Collections, Transaction
from app.gallery.store.uniqueness import unique
from app.recognition.types import ModelId

_log = structlog.get_logger(__name__)


class GalleryCollections(GalleryPart):
    """The collections of a gallery. New ones are of the embedder `embedders.own`."""

    @erases
    def claim(self) -> None:
        """Make the default collection if it is missing, and check the embedder of each collection.

        Empty collections of an embedder that does not run here are given to `embedders.own`. The
        log then warns of similarities that they fix, and of the unknown faces in their inboxes,
        which are erased. Raises StartupError when such a collection has faces: embeddings of two
        embedders cannot be compared.
        """
        with self.store.writing_all() as collections:
            # First, so that `lock_all` finds it, whichever process made it.
            if collections.add_if_missing(DEFAULT_COLLECTION, self.embedders.own):
                made = collections.get(DEFAULT_COLLECTION)
                collections.note(Action.COLLECTION_CREATED, made)
            for collection in collections.lock_all():
                _seal_if_empty(collections, collection)
                if not self.embedders.run(collection):
                    if collections.has_faces(collection):
                        raise EmbedderChanged(
                            self.embedders.mismatch(collection), embedder=collection.embedder
                        )
                    transaction = collections.within(collection)
                    _warn_of_similarities(transaction, self.embedders.own)
                    collections.assign(collection, self.embedders.own)
                    collections.note(
                        Action.COLLECTION_CHANGED, collection, embedder=self.embedders.own.name
                    )
                    _empty_inbox(transaction, self.embedders.own)

    def create(
        self, name: str, description: str | None, *, once: Once[Collection] | None = None
    ) -> Collection:
        """Create a collection. Raises CollectionExists, and AnsweredBeforeError by `once`."""
        taken = CollectionExists(f"there already is a collection {name!r}")
        with self.store.writing_all() as collections:
            collections.answers.claim(once)
            if collections.find(name) is not None:
                raise taken
            with unique(taken):
                collection = collections.add(name, description, self.embedders.own)
            collections.note(Action.COLLECTION_CREATED, collection)
            made = collections.record(collection)
            collections.answers.keep(once, made, collection.number)
            return made

    @read_again
    def get(self, name: str) -> Collection:
        with self.store.reading_all() as collections:
            return collections.record(collections.get(name))

    @read_again
    def require(self, name: str) -> DecisionBasis:
        """Return what its decisions rest on.

        Raises CollectionNotFound, and EmbedderMismatch when its embedder does not run here.
        """
        with self.store.reading(name) as transaction:
            self.embedders.require(transaction.collection)
            return transaction.basis

    @read_again
    def page(
        self,
        prefix: str | None = None,
        *,
        limit: int,
        cursor: str | None,
        among: Sequence[str] | None = None,
    ) -> Page[Collection]:
        """Return collections, oldest first; with a prefix, those whose names begin with it, in any
        case. `among`: of these names alone."""
        after = decode_cursor(cursor)
        with self.store.reading_all() as collections:
            rows = collections.page(prefix, after=after, limit=limit + 1, among=among)
            items = tuple(collections.record(row) for row in rows[:limit])
            return Page(items, next_cursor([row.number for row in rows], limit))

    def update(self, name: str, changes: CollectionChanges) -> Collection:
        """Change the description and options of a collection; its people and revision stay.

        Raises PersonHeld when crops of people under a legal hold would be erased.
        """
        erased = False
        with self.store.locking(name) as transaction:
            collections = transaction.collections
            collection = collections.update(transaction.collection, changes)
            if not isinstance(changes.options, Unset):
                # An unknown face that is kept at this moment is kept before this is answered; also
                # the first one, whose inbox is not committed yet.
                if transaction.collection.options.unknowns.keep:
                    transaction.unknowns.advance()
                erased = _erase_unwanted_crops(transaction.at(collection))
            transaction.note(Action.COLLECTION_CHANGED, **_changed(changes))
            changed = collections.record(collection)
        if erased:
            self.store.database.compact()
        return changed

    @erases
    def delete(self, name: str, *, compact: bool = False) -> Erasure:
        """Delete a collection and its people; `default` is made again at once, empty.

        Raises PersonHeld.
        """
        # At the next revision, so that no face is enrolled between counting and deleting.
        with self.store.changing(name) as transaction:
            receipt = erase_collection(transaction)
            if name == DEFAULT_COLLECTION:
                collections = transaction.collections
                if collections.add_if_missing(name, self.embedders.own, revision=receipt.revision):
                    collections.note(Action.COLLECTION_CREATED, collections.get(name))
        self.sync.forget(transaction.collection.number)
        return self.finished(receipt, compact=compact)

    @read_again
    def revision(self, collection_name: str) -> int:
        """Return the number of the collection's last change; a search sees at least this."""
        with self.store.reading(collection_name) as transaction:
            return transaction.collection.revision


def _changed(changes: CollectionChanges) -> dict[str, Any]:
    """What of a collection is changed: its options with their values, its description without."""
    done: dict[str, Any] = {}
    if not isinstance(changes.description, Unset):
        done["fields"] = ["description"]
    if not isinstance(changes.options, Unset):
        done["options"] = {group: dict(some) for group, some in changes.options.items()}
    return done


def _seal_if_empty(collections: Collections, collection: CollectionView) -> None:
    """Encrypt a collection without faces from now on, if the settings name a master key."""
    if collection.key_generation is None and not collections.has_faces(collection):
        transaction = collections.within(collection)
        # Its lock: no unknown face is kept meanwhile.
        transaction.unknowns.advance_if_there()
        if not transaction.unknowns.face_count():
            sealing = collections.begin_sealing(collection, is_complete=True)
            if sealing.key_generation is not None:
                collections.note(Action.ENCRYPTION_BEGUN, collection)


def _erase_unwanted_crops(transaction: Transaction) -> bool:
    """Erase the crops that the collection does not keep any more; return whether there were any."""
    erased = False
    if not transaction.crops.are_kept:
        require_no_held_crops(transaction)
    for crops in (transaction.crops, transaction.unknown_crops):
        if not crops.are_kept:
            erased |= crops.count() > 0
            crops.delete_all()
    return erased


def _warn_of_similarities(transaction: Transaction, model: ModelId) -> None:
    """Log the similarities that an empty collection fixes by the embedder that it had."""
    collection = transaction.collection
    options = collection.options.decisions.fixed_similarities()
    people = transaction.rollout.people_with_thresholds()
    if options or people:
        _log.warning(
            "similarity_of_which_embedder",
            collection=collection.name,
            options=list(options),
            people_with_thresholds=people,
            found_for=collection.embedder,
            embedder=model.name,
            remedy=f"set them anew for {model.name}, give error rates in their place, or start "
            f"with VULTUS_EMBEDDER={collection.embedder}",
        )


def _empty_inbox(transaction: Transaction, model: ModelId) -> None:
    """Erase the unknown faces of the embedder that a collection had, and log how many."""
    collection = transaction.collection
    faces = transaction.unknowns.face_count()
    transaction.unknowns.empty()
    if faces:
        _log.warning(
            "unknowns_of_other_embedder_erased",
            collection=collection.name,
            faces=faces,
            found_by=collection.embedder,
            embedder=model.name,
        )
