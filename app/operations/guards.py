"""The guards at enrolment: which similarities they go by, and whom they look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from app.errors import Reason, RejectedImage
from app.gallery.guards import Guard, Neighbour, Refusal
from app.gallery.records import NewFace
from app.gallery.service import Gallery
from app.operations.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """A face should be as like the person's others as `resembles`, and less like anybody else's
    than `another`; cosine similarities."""

    resembles: float
    another: float


class Guards:
    """Tells what new faces are held against; nothing where the guards are off.

    `resembles` is None where nobody measured it for the embedder.
    """

    def __init__(
        self, gallery: Gallery, thresholds: Thresholds, *, enabled: bool, resembles: float | None
    ) -> None:
        self._gallery = gallery
        self._thresholds = thresholds
        self._enabled = enabled
        self._resembles = resembles

    def limits(self, collection: str) -> GuardLimits | None:
        """Of a collection; None where the guards are off. Blocks."""
        another = self._another(collection)
        if not self._enabled or self._resembles is None or another is None:
            return None
        return GuardLimits(self._resembles, another)

    def known_limits(self, collection: str) -> GuardLimits | None:
        """As `limits`, also when the settings turn the guards off. Blocks."""
        another = self._another(collection)
        if self._resembles is None or another is None:
            return None
        return GuardLimits(self._resembles, another)

    def look(
        self,
        collection: str,
        faces: Sequence[NewFace],
        *,
        identity_id: str | None = None,
        force: bool = False,
    ) -> Guard | None:
        """The guard for new faces of a person, or of a new one. Blocks.

        Raises CollectionNotFound and EmbedderMismatch.
        """
        limits = self.limits(collection)
        if limits is None or not faces:
            return None
        revision, nearest = self._nearest(collection, faces, identity_id)
        return Guard(limits.resembles, limits.another, revision, nearest, force)

    def look_for_many(
        self, collection: str, people: Sequence[tuple[Sequence[NewFace], bool]]
    ) -> list[Guard | None]:
        """The guards for new people, from their faces and whether they are forced. Blocks."""
        limits = self.limits(collection)
        faces = [face for own, _ in people for face in own]
        if limits is None or not faces:
            return [None] * len(people)
        revision, nearest = self._nearest(collection, faces, None)
        of_each = iter(nearest)
        return [
            Guard(
                limits.resembles,
                limits.another,
                revision,
                tuple(islice(of_each, len(own))),
                force,
            )
            for own, force in people
        ]

    def _nearest(
        self, collection: str, faces: Sequence[NewFace], identity_id: str | None
    ) -> tuple[int, tuple[Neighbour | None, ...]]:
        """A revision, and who is nearest to each face, as of it or a later one."""
        # In this order: whoever is enrolled after this is found by the transaction that writes.
        revision = self._gallery.revision(collection)
        found = self._gallery.search(
            collection,
            [face.embedding for face in faces],
            top_k=1 if identity_id is None else 2,
        )
        nearest = tuple(
            next(
                (
                    Neighbour.of(candidate.identity, candidate.similarity)
                    for candidate in candidates
                    if candidate.identity.id != identity_id
                ),
                None,
            )
            for candidates in found
        )
        return revision, nearest

    def _another(self, collection: str) -> float | None:  # noqa: ARG002
        """From which similarity on a search of this collection gives a name."""
        if self._thresholds.identify is None:
            return None
        return self._thresholds.for_identify(None)


def refused(refusal: Refusal, image_index: int) -> RejectedImage:
    """What is said of an image whose face a guard refuses."""
    found = refusal.resemblance
    compared = f"{found.similarity:.4f}, and {found.threshold:.4f}"
    if refusal.reason is Reason.BELONGS_TO_ANOTHER_IDENTITY:
        detail = (
            f"the face looks like identity {found.identity_id} (similarity {compared} is a match); "
            "enroll it there, or send force=true when they are two people"
        )
    elif found.identity_id is not None:
        detail = (
            f"the face does not look like the other faces of identity {found.identity_id} "
            f"(similarity {compared} is wanted); send another photo, or force=true when it is them"
        )
    else:
        detail = (
            "the faces of this request do not look like one another "
            f"(similarity {compared} is wanted), so nobody knows whose this is; send photos of one "
            "person, or force=true when they are"
        )
    return RejectedImage(image_index, (refusal.reason,), detail, resemblance=found)
