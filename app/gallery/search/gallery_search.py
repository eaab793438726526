"""Find people by their faces, compare with one of them, and examine the gallery."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import structlog

from app.gallery.doctor import Checkup, DoctorPolicy, examine
from app.gallery.gallery_part import GalleryPart
from app.gallery.journal.actions import Action
from app.gallery.records import Identity, SearchResult
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.face_lookup import UntrueIndexError
from app.gallery.search.nearest_faces import FaceSearchResult, FacesQuery, nearest_faces
from app.gallery.search.nearest_people import PeopleQuery, nearest_people
from app.gallery.search.person_template import TemplateProbe, probe_of_person
from app.gallery.search.side_comparison import (
    EnrolledSide,
    Side,
    SideComparison,
    compare_sides,
    people_of_sides,
)
from app.gallery.store.database import read_again
from app.gallery.store.statements.page_cursors import decode_cursor
from app.gallery.store.transaction import Transaction
from app.gallery.sync.index_sync import EmbedderGoneError
from app.recognition.types import Embedding

FoundT = TypeVar("FoundT")

_MOST_TRIES = 4
_SAME_VISIT = timedelta(seconds=60)
"""A person who is matched again within it is the terminal's newest already: nothing is written."""

_log = structlog.get_logger(__name__)


class GallerySearch(GalleryPart):
    """Searches of all collections of a gallery."""

    @read_again
    def find(
        self, collection_name: str, probes: Sequence[Probe], query: PeopleQuery
    ) -> SearchResult:
        """Find, for each probe, the most similar of the people wanted, and count those searched.

        The answer is that of comparing with all faces of these people and no others. Raises
        EmbedderMismatch.
        """
        return self._with_true_index(
            collection_name, lambda: self._search(collection_name, probes, query)
        )

    @read_again
    def find_faces(self, collection_name: str, probe: Probe, query: FacesQuery) -> FaceSearchResult:
        """Find the most similar faces, of any person; see `nearest_faces`.

        The answer is that of comparing with all faces. Raises EmbedderMismatch.
        """

        def look(transaction: Transaction) -> FaceSearchResult:
            view = transaction.collection
            embedding = self.embedders.seen_by(view, probe)
            people = self.sync.states.of(view).people
            return nearest_faces(transaction, self.sync.index_at(view), embedding, query, people)

        return self._with_true_index(
            collection_name, lambda: self._at_one_revision(collection_name, look)
        )

    def find_by_other_embedder(
        self, collection_name: str, probes: Sequence[Probe], query: PeopleQuery
    ) -> SearchResult | None:
        """Find people by the other embedder of a collection.

        A probe that is a plain embedding is by that embedder. Returns None when the collection has
        no other one that runs here, or its index is not ready.
        """
        try:
            return self._search_by_other_embedder(collection_name, probes, query)
        except (EmbedderGoneError, UntrueIndexError):
            return None

    @read_again
    def compare(self, collection_name: str, a: Side, b: Side) -> SideComparison:
        """Compare two sides 1:1; see `side_comparison.compare_sides`."""
        with self.store.reading(collection_name) as transaction:
            return compare_sides(transaction, self.embedders, a, b)

    @read_again
    def people_of_sides(
        self, collection_name: str, sides: Sequence[EnrolledSide]
    ) -> list[Identity]:
        """The people of sides that are enrolled. Raises as `compare` does."""
        with self.store.reading(collection_name) as transaction:
            return people_of_sides(transaction, sides)

    @read_again
    def template_of(self, collection_name: str, identity_id: str) -> TemplateProbe:
        """Read a person's template as a probe; see `person_template.probe_of_person`."""
        with self.store.reading(collection_name) as transaction:
            return probe_of_person(transaction, self.embedders, identity_id)

    def remember(
        self,
        collection_name: str,
        terminal_id: str,
        identity_ids: Sequence[str],
        *,
        most: int,
        similarities: Mapping[str, float | None] = MappingProxyType({}),
    ) -> None:
        """Store that these people were matched at a terminal, which remembers `most` people.

        Those who were matched there within a minute stay on the same visit, which is noted once.
        """
        now = datetime.now(UTC)
        with self.store.reading(collection_name) as transaction:
            since = now - _SAME_VISIT
            if not transaction.terminals.has_newcomers(terminal_id, identity_ids, since):
                return
        with self.store.writing_beside(collection_name) as transaction:
            came = transaction.terminals.remember(
                terminal_id, identity_ids, now, most=most, again_after=_SAME_VISIT
            )
            for identity_id in came:
                transaction.note(
                    Action.PERSON_MATCHED,
                    identity_id,
                    terminal_id=terminal_id,
                    similarity=similarities.get(identity_id),
                )

    @read_again
    def examine(
        self,
        collection_name: str,
        rules: DoctorPolicy,
        *,
        limit: int,
        cursor: str | None,
        within_s: float,
    ) -> Checkup:
        """Examine people for wrong faces and duplicates; see `doctor.examine`."""
        after = decode_cursor(cursor)
        with self.store.reading(collection_name) as transaction:
            self.embedders.require(transaction.collection)
            index = self.sync.index_at(transaction.collection)
            return examine(transaction, index, rules, after=after, limit=limit, within_s=within_s)

    def _search(self, name: str, probes: Sequence[Probe], query: PeopleQuery) -> SearchResult:
        def look(transaction: Transaction) -> SearchResult:
            view = transaction.collection
            embeddings = [self.embedders.seen_by(view, probe) for probe in probes]
            return self._nearest(transaction, embeddings, query)

        return self._at_one_revision(name, look)

    def _at_one_revision(self, name: str, look: Callable[[Transaction], FoundT]) -> FoundT:
        """Search the index and the database as of one revision.

        The embedder is that of the collection at that revision.

        Otherwise a person whose only face was replaced meanwhile might be missed: the old face is
        gone from the database, and the new one is not in the index yet. Where changes never pause,
        the last try counts.
        """
        tries = 0
        while True:
            tries += 1
            with self.store.reading(name) as transaction:
                found = look(transaction)
                if tries == _MOST_TRIES or self.sync.is_at(transaction.collection):
                    return found

    def _with_true_index(self, name: str, search: Callable[[], FoundT]) -> FoundT:
        """Search, and search again where the index is untrue, or the embedder was purged."""
        try:
            return search()
        except UntrueIndexError as error:
            _log.warning("index_untrue", collection=name, remedy="it is built anew")
            self.sync.forget(error.collection_number)
            return search()
        except EmbedderGoneError:  # the collection was read before a purge
            return search()

    def _search_by_other_embedder(
        self, collection_name: str, probes: Sequence[Probe], query: PeopleQuery
    ) -> SearchResult | None:
        with self.store.reading(collection_name) as serving:
            transaction = serving.by_other_embedder()
            if transaction is None or not self.embedders.run(transaction.collection):
                return None
            view = transaction.collection
            embeddings = [
                probe if isinstance(probe, np.ndarray) else self.embedders.seen_by(view, probe)
                for probe in probes
            ]
            return self._nearest(transaction, embeddings, query)

    def _nearest(
        self, transaction: Transaction, embeddings: Sequence[Embedding], query: PeopleQuery
    ) -> SearchResult:
        """Search by embeddings of the embedder that the transaction reads."""
        view = transaction.collection
        candidates, searched = nearest_people(
            transaction,
            self.sync.index_at(view),
            embeddings,
            query,
            self.sync.states.of(view).people,
        )
        return SearchResult(candidates, searched, transaction.basis)
