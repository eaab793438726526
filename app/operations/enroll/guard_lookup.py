"""The guards at enrolment: which similarities they go by, and whom they look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from app.errors import Reason, RejectedImage
from app.gallery.gallery import Gallery
from app.gallery.people.enrolment_guards import EmbedderSwitchedError, Guard, Neighbour, Refusal
from app.gallery.people.identity_ref import refers_to
from app.gallery.records import NewFace, SearchResult
from app.gallery.rollout.embedder_pair import Probe
from app.gallery.search.nearest_people import PeopleQuery
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.policy.calibrator import Calibrator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """A face should be as like the person's others as `resembles`, and less like anybody else's
    than `another`; cosine similarities."""

    resembles: float
    another: float


class Guards:
    """Tells what new faces are held against; nothing where the guards are off."""

    def __init__(self, gallery: Gallery, calibrator: Calibrator, *, enabled: bool) -> None:
        self._gallery = gallery
        self._calibrator = calibrator
        self._enabled = enabled

    def _limits(self, collection: str, found: SearchResult) -> GuardLimits | None:
        """None where nobody measured any for the embedder."""
        policy = self._calibrator.resting_on(found.basis, collection)
        another = policy.find_identify(found.searched)
        resembles = policy.resembling()
        if resembles is None or another is None:
            return None
        return GuardLimits(resembles, another)

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
        if not self._enabled or not faces:
            return None
        guard = self._guard(collection, faces, identity_id)
        return None if guard is None else replace(guard, force=options.force)

    def look_at_enrolled(
        self, collection: str, face_id: str, identity_id: str | None, *, force: bool = False
    ) -> Guard | None:
        """The guard for a face that is enrolled, as one of another person, or of a new one. Blocks.

        None also where the embedder that answers has not seen the face. Raises CollectionNotFound,
        FaceNotFound and EmbedderMismatch.
        """
        if not self._enabled:
            return None
        probe = self._gallery.faces.probe_of(collection, face_id)
        model = self._gallery.collections.require(collection).model
        if model.digest not in probe.by_digest:
            return None
        guard = self._guard(collection, [probe], identity_id, exclude_face_id=face_id)
        return None if guard is None else replace(guard, force=force)

    def look_for_many(
        self, collection: str, people: Sequence[tuple[Sequence[NewFace], EnrollOptions]]
    ) -> list[Guard | None]:
        """The guards for new people, from their faces and options. Blocks."""
        faces = [face for own, _ in people for face in own]
        common = self._guard(collection, faces, None) if self._enabled and faces else None
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
        # In this order: whoever is enrolled after this is found by the transaction that writes.
        revision = self._gallery.collections.revision(collection)
        query = PeopleQuery(
            1 if identity_id is None else 2, datetime.now(UTC), exclude_face_id=exclude_face_id
        )
        found = self._gallery.search.find(collection, faces, query)
        limits = self._limits(collection, found)
        if limits is None:
            return None
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
            for candidates in found.candidates
        )
        digest = found.basis.model.digest
        return Guard(limits.resembles, limits.another, revision, nearest, digest)


def looking_again(write: Callable[[], T]) -> T:
    """What `write` does, which looks for its guards itself; once more when the collection goes over
    to another embedder between that look and the transaction."""
    try:
        return write()
    except EmbedderSwitchedError:
        return write()


def refused(refusal: Refusal, image_index: int | None) -> RejectedImage:
    """What is said of an image whose face a guard refuses."""
    found = refusal.resemblance
    compared = f"{found.similarity:.4f}, and {found.threshold:.4f}"
    if refusal.reason is Reason.BELONGS_TO_ANOTHER_IDENTITY:
        detail = (
            f"the face looks like identity {found.identity_id} (similarity {compared} is a match)"
        )
    elif found.identity_id is not None:
        detail = (
            f"the face does not look like the other faces of identity {found.identity_id} "
            f"(similarity {compared} is wanted)"
        )
    else:
        detail = (
            "the faces of this request do not look like one another "
            f"(similarity {compared} is wanted), so it is not clear whose this is"
        )
    return RejectedImage(image_index, (refusal.reason,), detail, resemblance=found)
