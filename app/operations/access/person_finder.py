"""Find a person in all collections and inboxes: by id, or by a photo.

Ids, external_ids and photos that are the same are certain. Faces are compared as `identify` does,
at its threshold or at a false match rate that is asked for, and never below what the caller may see
(`disclosure`). All methods but `photo` block.
"""

from collections.abc import Container, Sequence
from datetime import UTC, datetime

import numpy as np

from app.errors import (
    CollectionNotFound,
    EmbedderMismatch,
    NoUsableImage,
    ThresholdRequired,
)
from app.gallery.gallery import Gallery
from app.gallery.people.person_data_records import Traces
from app.gallery.records import Scoring, SearchResult
from app.gallery.rollout.embedder_pair import EnrolledProbe
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.collection_view import CollectionView
from app.operations.access.findings import (
    Basis,
    Finding,
    Found,
    Limit,
    NotSearched,
    SearchedCollection,
)
from app.operations.enroll.photo_subject import candidates, find_subject
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import permitted, shown, shown_from
from app.operations.policy.face_rules import FaceRule, QualityFilter
from app.operations.policy.thresholds import Thresholds
from app.recognition.pipeline import Recognizer
from app.runtime.threads import Work, threads

MOST_FACES = 32
"""Faces of a person by which people are searched, those of the best quality. Unknown faces are
compared with all of them."""
_BEFORE_ANY_EXPIRY = datetime(1970, 1, 1, tzinfo=UTC)
"""Who has expired is held until they are erased."""
_MOST_PEOPLE = 100
"""People of one collection that one face finds."""


class PersonFinder:
    """Finds a person in the collections that a caller sees: those `among`, or all for None."""

    def __init__(self, recognizer: Recognizer, gallery: Gallery, calibrator: Calibrator) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self.data = gallery.person_data
        self._calibrator = calibrator

    def identity(
        self,
        collection: str,
        ref: str,
        *,
        among: Container[str] | None = None,
        target_fmr: float | None = None,
    ) -> Found:
        """Find a person everywhere. Raises CollectionNotFound and IdentityNotFound."""
        identity_id, traces = self.data.traces(collection, ref)
        own = Finding(collection, identity_id, Basis.IDENTITY_ID)
        return self._everywhere(traces, among, target_fmr, own=own)

    async def photo(
        self,
        image: bytes,
        rule: FaceRule = FaceRule.SINGLE,
        *,
        among: Container[str] | None = None,
        target_fmr: float | None = None,
    ) -> Found:
        """Find the person of a photo everywhere; nothing of it is kept.

        Raises ImageUnreadable, ImageTooLarge, Overloaded, and NoUsableImage where the photo does
        not show one face that is good enough to be compared.
        """
        photo = await self._recognizer.embed(image, candidates(rule))
        subject = find_subject(photo, 0, rule, QualityFilter.FLOOR)
        if subject.refused is not None:
            raise NoUsableImage(subject.refused.detail, [subject.refused])
        assert subject.face is not None  # a photo without a subject is refused
        face, models = subject.face, (self._recognizer.model, self._recognizer.next_model)
        embeddings = {
            model.digest: embedding[np.newaxis]
            for model, embedding in zip(models, (face.embedding, face.next_embedding), strict=True)
            if model is not None and embedding is not None
        }
        traces = Traces(embeddings, {photo.sha256: [face.face.box]})
        return await threads().run(
            Work.READ,
            self._everywhere,
            traces,
            among,
            target_fmr,
            image_sha256=photo.sha256,
        )

    def _everywhere(
        self,
        traces: Traces,
        among: Container[str] | None,
        target_fmr: float | None,
        *,
        own: Finding | None = None,
        image_sha256: str | None = None,
    ) -> Found:
        searched: list[SearchedCollection] = []
        people: list[Finding] = [] if own is None else [own]
        groups: list[Finding] = []
        for view in self.data.collections():
            if among is not None and view.name not in among:
                continue
            try:
                look = _Look(self, view, traces, target_fmr)
                searched.append(look.searched())
                people += look.people(own)
                groups += look.groups()
            except CollectionNotFound:  # it was deleted meanwhile
                continue
        return Found(
            searched,
            people,
            groups,
            datetime.now(UTC),
            image_sha256,
            None if own is None else own.collection,
            None if own is None else own.id,
        )

    def search(self, view: CollectionView, traces: Traces) -> SearchResult:
        """Search people by the faces of a person. Raises EmbedderMismatch."""
        rows = traces.embeddings[view.digest][:MOST_FACES]
        probes = [EnrolledProbe({view.digest: row}) for row in rows]
        query = PeopleQuery(_MOST_PEOPLE, _BEFORE_ANY_EXPIRY, scoring=Scoring.TEMPLATE)
        return self._gallery.search.find(view.name, probes, query)

    def policy(self, collection: str) -> Thresholds:
        return self._calibrator.thresholds(collection)


class _Look:
    """The look into one collection."""

    def __init__(
        self,
        finder: PersonFinder,
        view: CollectionView,
        traces: Traces,
        target_fmr: float | None,
    ) -> None:
        self._finder = finder
        self._data = finder.data
        self._name = view.name
        self._traces = traces
        self._target_fmr = target_fmr
        self._policy = finder.policy(view.name)
        self._result: SearchResult | None = None
        self._people: Limit | None = None
        self._unknowns: Limit | None = None
        self._not_searched = self._search(view)

    def searched(self) -> SearchedCollection:
        return SearchedCollection(self._name, self._people, self._unknowns, self._not_searched)

    def people(self, own: Finding | None) -> list[Finding]:
        """Return the people of the collection, the most certain first."""
        by_key, same_photo = self._data.same_people(self._name, self._traces)
        alike = self._alike()
        found: dict[str, Finding] = {}
        certain: list[tuple[Basis, Sequence[str | None]]] = [
            (Basis.EXTERNAL_ID, [by_key]),
            (Basis.SAME_PHOTO, same_photo),
        ]
        for basis, ids in certain:
            for identity_id in ids:
                if identity_id is not None:
                    found.setdefault(identity_id, self._finding(identity_id, basis, alike))
        for identity_id in alike:
            found.setdefault(identity_id, self._finding(identity_id, Basis.SIMILARITY, alike))
        if own is not None and own.collection == self._name:
            found.pop(own.id, None)
        return list(found.values())

    def groups(self) -> list[Finding]:
        """Return the groups of its unknown faces, the most certain first."""
        limit = self._unknowns
        hits = self._data.groups_like(
            self._name, self._traces, None if limit is None else limit.threshold
        )
        alike = dict(sorted(hits.alike.items(), key=lambda item: -item[1]))
        ids = dict.fromkeys([*sorted(hits.same_photo), *alike])
        return [
            Finding(
                self._name,
                group_id,
                Basis.SAME_PHOTO if group_id in hits.same_photo else Basis.SIMILARITY,
                self._shown(alike.get(group_id), limit),
                limit if group_id in alike else None,
            )
            for group_id in ids
        ]

    def _search(self, view: CollectionView) -> NotSearched | None:
        """Compare faces, and note the limits; return why that is not possible."""
        if not self._traces.embeddings:
            return NotSearched.NO_FACE
        if view.digest not in self._traces.embeddings:
            return NotSearched.OTHER_EMBEDDER
        try:
            result = self._finder.search(view, self._traces)
            self._people = self._limit(
                self._by_rate() or self._policy.for_identify(searched=result.searched)
            )
        except EmbedderMismatch:
            return NotSearched.OTHER_EMBEDDER
        except ThresholdRequired:
            return NotSearched.THRESHOLD_UNKNOWN
        self._result = result
        grouped_by = self._data.inbox_threshold(self._name)
        if grouped_by is not None:
            self._unknowns = self._limit(self._by_rate() or grouped_by)
        return None

    def _by_rate(self) -> float | None:
        """The threshold of the rate that was asked for. Raises ThresholdRequired."""
        if self._target_fmr is None:
            return None
        return self._policy.for_verify(target_fmr=self._target_fmr)

    def _limit(self, threshold: float) -> Limit:
        least = permitted(threshold, self._policy)
        return Limit(least, self._policy.fmr(least))

    def _alike(self) -> dict[str, float]:
        """Similarity by id of the people who reach the limit, the most similar first."""
        if self._result is None or self._people is None:
            return {}
        best: dict[str, float] = {}
        for candidates_of_face in self._result.candidates:
            for found in candidates_of_face:
                least = max(self._people.threshold, found.identity.threshold or -1.0)
                if found.similarity >= least:
                    known = best.get(found.identity.id, -1.0)
                    best[found.identity.id] = max(known, found.similarity)
        return dict(sorted(best.items(), key=lambda item: -item[1]))

    def _finding(self, identity_id: str, basis: Basis, alike: dict[str, float]) -> Finding:
        similarity = alike.get(identity_id)
        limit = None if similarity is None else self._people
        return Finding(self._name, identity_id, basis, self._shown(similarity, limit), limit)

    def _shown(self, similarity: float | None, limit: Limit | None) -> float | None:
        if similarity is None or limit is None:
            return None
        return shown(similarity, shown_from(self._policy), limit.threshold)
