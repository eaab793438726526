"""The gallery's use cases: one method, one transaction.

Writes go to the database first and to the index after the commit, so that what was acknowledged is
on disk and what is in the index is true. All methods block; call them from a worker thread.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import structlog
from sqlalchemy.exc import IntegrityError

from app.errors import (
    CollectionExists,
    CollectionNotFound,
    EmbedderChanged,
    ExternalIdTaken,
    IdentityWithoutFace,
    Unavailable,
)
from app.gallery.doctor import Checkup, DoctorRules, examine
from app.gallery.names import DEFAULT_COLLECTION
from app.gallery.people.enrolment import (
    BulkOutcome,
    NewPerson,
    Outcome,
    add_faces,
    add_person,
    enroll_people,
    require_one_accepted,
)
from app.gallery.people.enrolment_guards import EmbedderSwitchedError, Guard
from app.gallery.people.erasure import erase_collection, erase_face, erase_people
from app.gallery.records import (
    EVERYBODY,
    Basis,
    Candidate,
    Collection,
    CollectionChanges,
    Erasure,
    Face,
    Identity,
    IdentityChanges,
    IdentityFilter,
    NewFace,
    NewIdentity,
    Page,
    PeopleFilter,
    SearchResult,
    Unset,
)
from app.gallery.rollout.embedder_pair import Embedders, EnrolledProbe, Probe
from app.gallery.search.nearest_people import PeopleQuery, UntrueIndexError, nearest_people
from app.gallery.search.person_template import similarity_to_template
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database, read_again
from app.gallery.store.gallery_store import Store
from app.gallery.store.idempotency import KeptAnswer, Once, Ticket
from app.gallery.store.repositories import face_repository as face_records
from app.gallery.store.repositories.identity_repository import IdentityRepository
from app.gallery.store.repositories.page_cursors import decode_cursor, encode_cursor
from app.gallery.store.storage import erases
from app.gallery.store.tables import IdentityTable
from app.gallery.store.transaction import Transaction
from app.gallery.sync.index_sync import EmbedderGoneError, Standing, Sync
from app.recognition.types import Embedding, ModelId

_ERASED_AT_ONCE = 500
_MOST_TRIES = 4
_SAME_VISIT_S = 60
"""Who is matched again within it is the terminal's newest already: nothing is written."""

FacesToEnroll = Sequence[NewFace] | Callable[[Transaction], Sequence[NewFace]]
"""Faces, or what takes them from elsewhere in the very transaction that enrolls them."""
Enrolled = tuple[Identity, tuple[Outcome, ...]]
"""A person as they are now, and what became of each new face."""

_log = structlog.get_logger(__name__)


class Gallery:
    """Collections, identities and faces of the network `model`, and of the one that comes next.

    New collections are of `model`, and so is an embedding that comes without a photo.
    """

    def __init__(
        self,
        database: Database,
        sync: Sync,
        model: ModelId,
        next_model: ModelId | None = None,
        *,
        chosen_by_auto: bool = False,
    ) -> None:
        self._database = database
        self._store = Store(database)
        self._sync = sync
        self.states = sync.states
        """What this process keeps of the collections."""
        self.model = model
        self.embedders = Embedders(model, next_model, chosen_by_auto)

    # -- life ------------------------------------------------------------------------------------

    def open(self) -> None:
        """Make sure of the default collection and of the network, then make the indexes ready.

        Raises StartupError as `claim` does.
        """
        self.claim()
        self._sync.load_all()

    @erases
    def claim(self) -> None:
        """Make sure of the default collection and of the network.

        Empty collections of another network are given to this one; the log warns of similarities
        that they fix, and of unknown faces in their inbox, which are erased. Raises StartupError
        when one with faces belongs to another network: its embeddings mean nothing to this one.
        """
        with self._store.writing_all() as collections:
            # First, so that the look at all of them sees it, whoever made it.
            collections.add_if_missing(DEFAULT_COLLECTION, self.model)
            for collection in collections.lock_all():
                if not self.embedders.run(collection):
                    if collections.has_faces(collection):
                        raise EmbedderChanged(
                            self.embedders.mismatch(collection), embedder=collection.embedder
                        )
                    transaction = collections.within(collection)
                    _warn_of_similarities(transaction, self.model)
                    collections.assign(collection, self.model)
                    _empty_inbox(transaction, self.model)

    def make_room(self) -> bool:
        """Return whether there is more room on the disk now, for an erasure."""
        return self._database.make_room()

    def indexed_faces(self) -> int:
        return self._sync.sizes()

    def standing(self) -> Standing:
        """How far the indexes are. Raises DatabaseUnavailable."""
        return self._sync.standing()

    def follow(self) -> None:
        """Bring the indexes to what other processes have committed."""
        self._sync.follow()

    def save_index(self) -> None:
        """Renew the index's snapshots where they need it."""
        self._sync.save()

    def close(self) -> None:
        self._sync.close()
        self._database.close()

    # -- collections -----------------------------------------------------------------------------

    def create_collection(
        self, name: str, description: str | None, *, once: Once[Collection] | None = None
    ) -> Collection:
        """Raises CollectionExists, and AnsweredBeforeError when `once` says so."""
        taken = CollectionExists(f"there already is a collection {name!r}")
        with self._store.writing_all() as collections:
            collections.answers.claim(once)
            if collections.find(name) is not None:
                raise taken
            with _unique(taken):
                collection = collections.add(name, description, self.model)
            made = collections.record(collection)
            collections.answers.keep(once, made, collection.number)
            return made

    @read_again
    def get_collection(self, name: str) -> Collection:
        with self._store.reading_all() as collections:
            return collections.record(collections.get(name))

    @read_again
    def require_collection(self, name: str) -> Basis:
        """What its decisions rest on.

        Raises CollectionNotFound, or EmbedderMismatch when it is another network's.
        """
        with self._store.reading(name) as transaction:
            self.embedders.require(transaction.collection)
            return transaction.basis

    @read_again
    def list_collections(self, *, limit: int, cursor: str | None) -> Page[Collection]:
        after = decode_cursor(cursor)
        with self._store.reading_all() as collections:
            rows = collections.page(after=after, limit=limit + 1)
            items = tuple(collections.record(row) for row in rows[:limit])
            return Page(items, _next_cursor([row.number for row in rows], limit))

    def update_collection(self, name: str, changes: CollectionChanges) -> Collection:
        """Change what it does; its people stay as they are, and so does its revision."""
        erased = False
        with self._store.locking(name) as transaction:
            collections = transaction.collections
            collection = collections.update(transaction.collection, changes)
            if not isinstance(changes.options, Unset):
                # An unknown face that is kept at this moment is kept before this is answered.
                transaction.unknowns.advance_if_there()
                if not collection.options.crops.keep:
                    erased = transaction.crops.count() > 0
                    transaction.crops.delete_all()
            changed = collections.record(collection)
        if erased:
            self._database.compact()
        return changed

    @erases
    def delete_collection(self, name: str, *, compact: bool = False) -> Erasure:
        """Delete a collection and everybody in it; `default` is there again, empty, at once."""
        # At the next revision, so that no face is enrolled between counting and deleting.
        with self._store.changing(name) as transaction:
            receipt = erase_collection(transaction)
            if name == DEFAULT_COLLECTION:
                transaction.collections.add_if_missing(
                    DEFAULT_COLLECTION, self.model, revision=receipt.revision
                )
        self._sync.forget(transaction.collection.number)
        return self.compacted(receipt) if compact else receipt

    # -- identities ------------------------------------------------------------------------------

    def create_identity(
        self,
        collection_name: str,
        new: NewIdentity,
        faces: FacesToEnroll,
        *,
        guard: Guard | None = None,
        once: Once[Enrolled] | None = None,
    ) -> Enrolled:
        """Enroll a person with these faces, and return one outcome a face.

        A face that comes twice is enrolled once. Raises ExternalIdTaken and EmbedderMismatch,
        EveryFaceRefusedError when there are faces and `guard` refuses them all,
        EmbedderSwitchedError when the guard looked by an embedder that the collection has left
        since, and AnsweredBeforeError when it happened before, by `once`.
        """
        with self._store.changing(collection_name) as transaction:
            transaction.claim(once)
            identities = transaction.identities
            self._require_free(identities, new.external_id)
            taken = self._taken(transaction, faces, guard)
            with _unique(_taken(new.external_id)):
                (done,) = enroll_people(
                    transaction, [NewPerson(new, tuple(taken), guard)], by_crop=True
                )
            require_one_accepted(done.faces)
            assert done.identity_id is not None
            enrolled = identities.record(identities.get(done.identity_id)), done.faces
            transaction.keep(once, enrolled, done.identity_id)
        self.follow_change(collection_name)
        return enrolled

    @read_again
    def get_identity(self, collection_name: str, identity_id: str) -> Identity:
        with self._store.reading(collection_name) as transaction:
            identities = transaction.identities
            return identities.record(identities.get(identity_id))

    @read_again
    def list_identities(
        self, collection_name: str, wanted: IdentityFilter, *, limit: int, cursor: str | None
    ) -> Page[Identity]:
        after = decode_cursor(cursor)
        with self._store.reading(collection_name) as transaction:
            identities = transaction.identities
            rows = identities.page(wanted, after=after, limit=limit + 1)
            records = identities.records(rows[:limit])
            items = tuple(records[row.number] for row in rows[:limit])
            return Page(items, _next_cursor([row.number for row in rows], limit))

    def update_identity(
        self, collection_name: str, identity_id: str, changes: IdentityChanges
    ) -> Identity:
        """Raises ExternalIdTaken."""
        with self._store.changing(collection_name) as transaction:
            identities = transaction.identities
            row = identities.get(identity_id)
            external_id = changes.external_id
            if isinstance(external_id, str) and external_id != row.external_id:
                self._require_free(identities, external_id)
            identities.change(row, changes)
            with _unique(_taken(row.external_id)):
                transaction.session.flush()
            identities.note_change(row)
            return identities.record(row)

    @read_again
    def ids_of(self, collection_name: str, external_ids: Sequence[str]) -> dict[str, str]:
        """Identity ids by external_id, of those that are enrolled."""
        with self._store.reading(collection_name) as transaction:
            return transaction.identities.ids_of(external_ids)

    def create_identities(
        self, collection_name: str, people: Sequence[NewPerson]
    ) -> list[BulkOutcome]:
        """Enroll many people at once; those whose external_id is taken are passed over.

        Raises EmbedderMismatch, and EmbedderSwitchedError as `create_identity` does.
        """
        with self._store.changing(collection_name) as transaction:
            collection = transaction.collection
            self.embedders.require(collection)
            for person in people:
                require_same_embedder(collection, person.guard)
            written = [
                replace(
                    person,
                    faces=tuple(self.embedders.for_writing(collection, f) for f in person.faces),
                )
                for person in people
            ]
            outcomes = enroll_people(transaction, written, by_crop=False)
        self.follow_change(collection_name)
        return [BulkOutcome.of(outcome, collection.revision) for outcome in outcomes]

    @erases
    def delete_identity(
        self, collection_name: str, identity_id: str, *, compact: bool = False
    ) -> Erasure:
        """Delete a person and all their faces."""
        with self._store.changing(collection_name) as transaction:
            row = transaction.identities.get(identity_id)
            receipt = erase_people(transaction, [row])
        self.follow_change(collection_name)
        return self.compacted(receipt, transaction.collection.number) if compact else receipt

    @erases
    def erase_expired(
        self, *, log_revisions: int, answers_before: datetime | None = None
    ) -> list[Erasure]:
        """Delete everybody who has expired, of each log what is older than so many revisions, and
        the answers kept from before a moment.

        What the database's own files still hold of anybody deleted is then overwritten.
        """
        now = datetime.now(UTC)
        with self._store.reading_all() as collections:
            waiting = collections.with_expired(now)
            long_logs = collections.with_log_over(2 * log_revisions)
        receipts = [receipt for name in waiting for receipt in self._erase_expired(name, now)]
        for name in long_logs:
            with self._store.writing_all() as collections:
                collection = collections.find(name)
                if collection is not None:
                    collections.within(collection).changes.prune(log_revisions)
        if answers_before is not None:
            with self._store.writing_all() as collections:
                collections.answers.forget(answers_before)
        self._database.checkpoint()
        return receipts

    # -- faces -----------------------------------------------------------------------------------

    def add_faces(
        self,
        collection_name: str,
        identity_id: str,
        faces: FacesToEnroll,
        *,
        guard: Guard | None = None,
        once: Once[Enrolled] | None = None,
    ) -> Enrolled:
        """Enroll more faces of a person; as `create_identity`."""
        with self._store.changing(collection_name) as transaction:
            transaction.claim(once)
            identities = transaction.identities
            row = identities.get(identity_id)
            taken = self._taken(transaction, faces, guard)
            outcomes = add_faces(transaction, row, taken, guard)
            identities.note_change(row)
            enrolled = identities.record(row), outcomes
            transaction.keep(once, enrolled, row.id)
        self.follow_change(collection_name)
        return enrolled

    @read_again
    def list_faces(
        self, collection_name: str, identity_id: str, *, limit: int, cursor: str | None
    ) -> Page[Face]:
        after = decode_cursor(cursor)
        with self._store.reading(collection_name) as transaction:
            identity = transaction.identities.get(identity_id)
            rows = transaction.faces.page(identity, after=after, limit=limit + 1)
            items = tuple(face_records.record(row, identity) for row in rows[:limit])
            return Page(items, _next_cursor([row.number for row in rows], limit))

    @erases
    def delete_face(
        self, collection_name: str, identity_id: str, face_id: str, *, compact: bool = False
    ) -> Erasure:
        """Delete one face of a person; the person stays, even without a face."""
        with self._store.changing(collection_name) as transaction:
            identities = transaction.identities
            identity = identities.get(identity_id)
            receipt = erase_face(transaction, identity, face_id)
            identities.note_change(identity)
        self.follow_change(collection_name)
        return self.compacted(receipt, transaction.collection.number) if compact else receipt

    # -- search ----------------------------------------------------------------------------------

    def search(
        self,
        collection_name: str,
        probes: Sequence[Probe],
        *,
        top_k: int,
        wanted: PeopleFilter = EVERYBODY,
        exclude_face_id: str | None = None,
    ) -> list[tuple[Candidate, ...]]:
        """For each probe the `top_k` most similar of the people wanted, each by their best face.

        The answer is that of comparing with all faces of these people and no others. The face
        `exclude_face_id` does not count. Raises EmbedderMismatch.
        """
        query = PeopleQuery(top_k, datetime.now(UTC), wanted, exclude_face_id)
        return self.find(collection_name, probes, query).candidates

    @read_again
    def find(
        self, collection_name: str, probes: Sequence[Probe], query: PeopleQuery
    ) -> SearchResult:
        """As `search`, compared as the query says, and among how many."""
        try:
            return self._search(collection_name, probes, query)
        except UntrueIndexError as error:
            _log.warning("index_untrue", collection=collection_name, remedy="it is built anew")
            self._sync.forget(error.collection_number)
            return self._search(collection_name, probes, query)
        except EmbedderGoneError:  # the collection was read before a purge
            return self._search(collection_name, probes, query)

    def find_by_second(
        self, collection_name: str, probes: Sequence[Probe], query: PeopleQuery
    ) -> SearchResult | None:
        """As `find`, by the second embedder of a collection; None when it has none that runs here,
        or its index is not to be had at this moment.

        Where a probe is a plain embedding, it is by that one.
        """
        try:
            return self._search_by_second(collection_name, probes, query)
        except (EmbedderGoneError, UntrueIndexError):
            return None

    def _search_by_second(
        self, collection_name: str, probes: Sequence[Probe], query: PeopleQuery
    ) -> SearchResult | None:
        with self._store.reading(collection_name) as serving:
            transaction = serving.by_other()
            if transaction is None or not self.embedders.run(transaction.collection):
                return None
            view = transaction.collection
            embeddings = [
                probe if isinstance(probe, np.ndarray) else self.embedders.seen_by(view, probe)
                for probe in probes
            ]
            index = self._sync.index_at(view)
            candidates, searched = nearest_people(
                transaction, index, embeddings, query, self.states.of(view).people
            )
            return SearchResult(candidates, searched, transaction.basis)

    @read_again
    def examine(
        self,
        collection_name: str,
        rules: DoctorRules,
        *,
        limit: int,
        cursor: str | None,
        within_s: float,
    ) -> Checkup:
        """Look through people for what may be wrong with them; see `doctor.examine`."""
        after = decode_cursor(cursor)
        with self._store.reading(collection_name) as transaction:
            self.embedders.require(transaction.collection)
            index = self._sync.index_at(transaction.collection)
            return examine(transaction, index, rules, after=after, limit=limit, within_s=within_s)

    @read_again
    def revision(self, collection_name: str) -> int:
        """What the collection's last change is numbered; a search sees at least this."""
        with self._store.reading(collection_name) as transaction:
            return transaction.collection.revision

    def remember_match(
        self, collection_name: str, terminal_id: str, identity_ids: Sequence[str], *, most: int
    ) -> None:
        """Note that these people were matched at a terminal, which remembers `most` of them."""
        now = datetime.now(UTC)
        with self._store.reading(collection_name) as transaction:
            newest = transaction.terminals.newest(terminal_id, len(identity_ids))
            known = transaction.identities.numbers_of(identity_ids)
        if known <= {
            number for number, at in newest.items() if (now - at).total_seconds() < _SAME_VISIT_S
        }:
            return
        with self._store.writing_beside(collection_name) as transaction:
            transaction.terminals.remember(terminal_id, identity_ids, now, most=most)

    def compare(
        self, collection_name: str, identity_id: str, probe: Probe
    ) -> tuple[Candidate, Basis]:
        """Compare one probe as `compare_each` does."""
        (found,), basis = self.compare_each(collection_name, identity_id, [probe])
        return found, basis

    @read_again
    def compare_each(
        self, collection_name: str, identity_id: str, probes: Sequence[Probe]
    ) -> tuple[list[Candidate], Basis]:
        """A person as a candidate for each probe: compared by their template, with the most similar
        of their faces; and what a decision about them rests on.

        Raises IdentityWithoutFace and EmbedderMismatch.
        """
        with self._store.reading(collection_name) as transaction:
            collection = transaction.collection
            embeddings = [self.embedders.seen_by(collection, probe) for probe in probes]
            identities = transaction.identities
            row = identities.get(identity_id)
            if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
                raise identities.not_found(identity_id)
            faces = transaction.faces
            examples = faces.examples_of([row.number]).get(row.number)
            if not examples:
                raise IdentityWithoutFace(
                    f"identity {identity_id} has no enrolled face to compare with",
                    collection=collection_name,
                    identity_id=identity_id,
                )
            numbers = sorted(examples)
            enrolled = [examples[number] for number in numbers]
            ids = faces.ids_of([row.number])
            person = identities.record(row)
            stacked = np.stack(enrolled)
            candidates = [
                Candidate(
                    person,
                    ids[numbers[int(np.argmax(stacked @ embedding))]],
                    similarity_to_template(embedding, enrolled),
                    len(enrolled),
                )
                for embedding in embeddings
            ]
            return candidates, transaction.basis

    @read_again
    def enrolled_images(self, collection_name: str, identity_id: str) -> dict[str, Face]:
        """The faces of a person by the SHA-256 of the photo that they were enrolled from."""
        with self._store.reading(collection_name) as transaction:
            identity = transaction.identities.get(identity_id)
            rows = transaction.faces.of_identity(identity)
            faces = [face_records.record(row, identity) for row in rows]
            return {face.image_sha256: face for face in faces if face.image_sha256 is not None}

    @read_again
    def kept_answer(self, ticket: Ticket) -> KeptAnswer | None:
        """What was answered to this request before. Raises IdempotencyKeyReused."""
        with self._store.reading_all() as collections:
            return collections.answers.find(ticket)

    @read_again
    def probe_of(self, collection_name: str, face_id: str) -> EnrolledProbe:
        """By all embedders that run here and have seen it. Raises FaceNotFound."""
        with self._store.reading(collection_name) as serving:
            self.embedders.require(serving.collection)
            number = serving.faces.get(face_id).number
            found: dict[str, Embedding] = {}
            for transaction in (serving, serving.by_other()):
                if transaction is not None:
                    own = transaction.faces.embeddings_of([number])
                    if number in own:
                        found[transaction.collection.digest] = own[number]
            return EnrolledProbe(found)

    # -- for those who change people in transactions of their own -------------------------------

    def add_person(self, transaction: Transaction, new: NewIdentity) -> IdentityTable:
        """Add a person without a face. Raises ExternalIdTaken."""
        self._require_free(transaction.identities, new.external_id)
        with _unique(_taken(new.external_id)):
            return add_person(transaction, new)

    def follow_change(self, name: str) -> None:
        """Bring the index up to a change that is committed, and so acknowledged come what may.

        Should it fail, for whatever reason, the next search does it: searches compare revisions
        first. The caller must not be told of a failure that did not happen to the data.
        """
        try:
            self._sync.catch_up(name)
        except Unavailable as error:
            _log.warning("index_behind", collection=name, cause=str(error))
        except Exception:  # noqa: BLE001  (see above; it is logged with its traceback)
            _log.exception("index_behind", collection=name)

    def compacted(self, receipt: Erasure, collection_number: int | None = None) -> Erasure:
        """Overwrite or remove at once what files still hold of what was deleted."""
        if collection_number is not None:
            self._sync.erase(collection_number)
        return replace(receipt, compacted=self._database.compact())

    # -- helpers ---------------------------------------------------------------------------------

    def _search(self, name: str, probes: Sequence[Probe], query: PeopleQuery) -> SearchResult:
        """Search the index and the database as of one revision.

        By the embedder that the collection answers by as of that revision.

        Else somebody whose only face was replaced by another meanwhile might be missed: the old one
        is gone from the one, and the new one has not come to the other. Where changes never pause,
        the last try is as good as any.
        """
        tries = 0
        while True:
            tries += 1
            with self._store.reading(name) as transaction:
                collection = transaction.collection
                embeddings = [self.embedders.seen_by(collection, probe) for probe in probes]
                index = self._sync.index_at(collection)
                candidates, searched = nearest_people(
                    transaction, index, embeddings, query, self.states.of(collection).people
                )
                if tries == _MOST_TRIES or self._sync.is_at(collection):
                    return SearchResult(candidates, searched, transaction.basis)

    def _erase_expired(self, name: str, now: datetime) -> Iterator[Erasure]:
        with suppress(CollectionNotFound):  # somebody deletes it meanwhile
            while True:
                with self._store.changing(name) as transaction:
                    identities = transaction.identities
                    people = identities.expired(now, most=_ERASED_AT_ONCE)
                    receipt = erase_people(transaction, people)
                self.follow_change(name)
                if receipt.identity_count:
                    yield receipt
                if receipt.identity_count < _ERASED_AT_ONCE:
                    return

    def _taken(
        self, transaction: Transaction, faces: FacesToEnroll, guard: Guard | None
    ) -> Sequence[NewFace]:
        """Convert new faces to the collection's embedder; those from its inbox already are.

        Raises EmbedderMismatch and EmbedderSwitchedError.
        """
        collection = transaction.collection
        if callable(faces):
            taken = faces(transaction)
        else:
            taken = [self.embedders.for_writing(collection, face) for face in faces]
        if taken:
            self.embedders.require(collection)
        require_same_embedder(collection, guard)
        return taken

    def _require_free(self, identities: IdentityRepository, external_id: str | None) -> None:
        """Raises ExternalIdTaken."""
        if external_id is not None and identities.find_by_external_id(external_id) is not None:
            raise _taken(external_id)


def require_same_embedder(collection: CollectionView, guard: Guard | None) -> None:
    """Raises EmbedderSwitchedError."""
    if guard is not None and guard.digest != collection.digest:
        raise EmbedderSwitchedError(collection.name)


def _taken(external_id: str | None) -> ExternalIdTaken:
    return ExternalIdTaken(f"external_id {external_id!r} is taken in this collection")


@contextmanager
def _unique(taken: Exception) -> Iterator[None]:
    """Two writers may pass the check for a free name at once; the constraint decides."""
    try:
        yield
    except IntegrityError as error:
        raise taken from error


def _next_cursor(numbers: Sequence[int], limit: int) -> str | None:
    """Cursor after the first `limit` of the rows, if there are more."""
    return encode_cursor(numbers[limit - 1]) if len(numbers) > limit else None


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


def _warn_of_similarities(transaction: Transaction, model: ModelId) -> None:
    """Log what an empty collection fixes in similarities by the embedder that it had."""
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
