"""The guards at enrolment: their thresholds, and the search for people whom a face resembles."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from app.errors import Reason, RejectedImage, Resemblance
from app.gallery.gallery import Gallery
from app.gallery.keys.rights import Right
from app.gallery.people.enrolment_guards import EmbedderSwitchedError, Guard, Neighbour, Refusal
from app.gallery.people.identity_ref import refers_to
from app.gallery.records import NAMED, NewFace
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.nearest_people import PeopleQuery
from app.observe.acting import may, sees_exact_similarities
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import permitted, rounded

T = TypeVar("T")


class Guards:
    """Makes the guard that new faces are checked by; None if the guards are off."""

    def __init__(self, gallery: Gallery, calibrator: Calibrator, *, enabled: bool) -> None:
        self._gallery = gallery
        self._calibrator = calibrator
        self._enabled = enabled

    def look(
        self,
        collection: str,
        faces: Sequence[NewFace],
        options: EnrollOptions,
        *,
        identity_id: str | None = None,
    ) -> Guard | None:
        """The guard for new faces of a person, or of a new one. Blocks.

        Raises CollectionNotFound and EmbedderMismatch.
        """
        guard = self._guard(collection, faces, identity_id)
        return guard and replace(guard, force=options.force)

    def look_at_enrolled(
        self, collection: str, face_id: str, identity_id: str | None, *, force: bool = False
    ) -> Guard | None:
        """The guard for an enrolled face that is given to another person, or to a new one. Blocks.

        None also if the face has no embedding by the embedder that the collection answers by.
        Raises CollectionNotFound, FaceNotFound and EmbedderMismatch.
        """
        if not self._enabled:
            return None
        probe = self._gallery.faces.probe_of(collection, face_id)
        model = self._gallery.collections.require(collection).model
        if model.digest not in probe.by_digest:
            return None
        guard = self._guard(collection, [probe], identity_id, exclude_face_id=face_id)
        return guard and replace(guard, force=force)

    def look_for_many(
        self, collection: str, people: Sequence[tuple[Sequence[NewFace], EnrollOptions]]
    ) -> list[Guard | None]:
        """The guards for new people, by their faces and options. Blocks."""
        common = self._guard(collection, [face for own, _ in people for face in own], None)
        if common is None:
            return [None] * len(people)
        of_each = iter(common.nearest)
        return [
            replace(common, nearest=tuple(islice(of_each, len(own))), force=options.force)
            for own, options in people
        ]

    def _guard(
        self,
        collection: str,
        faces: Sequence[Probe],
        identity_id: str | None,
        *,
        exclude_face_id: str | None = None,
    ) -> Guard | None:
        if not self._enabled or not faces:
            return None
        # The revision first: the transaction that writes compares with people enrolled after it.
        revision = self._gallery.collections.revision(collection)
        query = PeopleQuery(
            1 if identity_id is None else 2,
            datetime.now(UTC),
            NAMED,  # an anonymous person may be the one who is enrolled now
            exclude_face_id=exclude_face_id,
        )
        result = self._gallery.search.find(collection, faces, query)
        policy = self._calibrator.resting_on(result.basis, collection)
        resembles, another = policy.resembling(), policy.find_identify(result.searched)
        if resembles is None or another is None:  # the embedder was not measured
            return None
        another = permitted(another, policy)
        nearest = tuple(
            next(
                (
                    Neighbour.of(candidate.identity, candidate.similarity)
                    for candidate in candidates
                    if identity_id is None
                    or not refers_to(
                        identity_id,
                        identity_id=candidate.identity.id,
                        external_id=candidate.identity.external_id,
                    )
                ),
                None,
            )
            for candidates in result.candidates
        )
        digest = result.basis.model.digest
        return Guard(resembles, another, revision, nearest, digest)


def retry_after_switch(write: Callable[[], T]) -> T:
    """Run `write`, which makes a guard and then opens a transaction; run it once more if the
    collection goes over to another embedder in between."""
    try:
        return write()
    except EmbedderSwitchedError:
        return write()


_WITHHELD = {
    Reason.BELONGS_TO_ANOTHER_IDENTITY: "the face looks like somebody who is enrolled; a key "
    "without the right 'identify' does not learn whom",
    Reason.LOW_MATCH_CONFIDENCE: "the face does not look like the other faces of this person",
}


def refused(refusal: Refusal, image_index: int | None) -> RejectedImage:
    """The rejection of an image whose face a guard refuses.

    A caller who may not identify faces does not learn whom it resembles, nor how much.
    """
    if not may(Right.IDENTIFY):
        return RejectedImage(image_index, (refusal.reason,), _WITHHELD[refusal.reason])
    other = _disclosed(refusal, is_of_photo=image_index is not None)
    if other.similarity is None:
        compared = f"{other.threshold:.4f}"
    else:
        compared = f"{other.similarity:.4f}, and {other.threshold:.4f}"
    if refusal.reason is Reason.BELONGS_TO_ANOTHER_IDENTITY:
        detail = (
            f"the face looks like identity {other.identity_id} (similarity {compared} is a match)"
        )
    elif other.identity_id is not None:
        detail = (
            f"the face does not look like the other faces of identity {other.identity_id} "
            f"(similarity {compared} is wanted)"
        )
    else:
        detail = (
            "the faces of this request do not look like one another "
            f"(similarity {compared} is wanted), so it is not clear whose this is"
        )
    return RejectedImage(image_index, (refusal.reason,), detail, resemblance=other)


def _disclosed(refusal: Refusal, *, is_of_photo: bool) -> Resemblance:
    """Return whom the face resembles, and how much as far as the present caller may know it.

    How unlike the person's own faces it is, and how like anyone an embedding is, is what an
    embedding could be computed from. The face of an embedding may be moved as well.
    """
    other = refusal.resemblance
    if sees_exact_similarities():
        return other
    if is_of_photo and refusal.reason is Reason.BELONGS_TO_ANOTHER_IDENTITY:
        assert other.similarity is not None
        return replace(other, similarity=rounded(other.similarity, other.threshold))
    return replace(other, similarity=None)
