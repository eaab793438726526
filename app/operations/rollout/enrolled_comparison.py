"""Compare the two embedders of a collection by the faces that are enrolled in it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.errors import FaceNotFound, OtherEmbedderMissing
from app.gallery.gallery import Gallery
from app.gallery.store.repositories.rollout_repository import SeenFace
from app.operations.identify.blocking_search import BlockingSearch
from app.operations.policy.decisions import Decision, SearchOptions, Status
from app.operations.rollout.shadow_decisions import Agreement, agreement


class Outcome(StrEnum):
    """The outcome for an enrolled face that is searched as if it were not enrolled."""

    RIGHT = "right"
    WRONG = "wrong"
    """Another person was named."""
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


def outcome(decision: Decision, owner: str) -> Outcome:
    if decision.identity is None:
        is_ambiguous = decision.status is Status.AMBIGUOUS
        return Outcome.AMBIGUOUS if is_ambiguous else Outcome.UNKNOWN
    return Outcome.RIGHT if decision.identity.id == owner else Outcome.WRONG


@dataclass(slots=True)
class Comparison:
    """Decisions of both embedders about enrolled faces, each of which was left out of its search.

    `known` are faces of people who have other faces, so that the right decision names them.
    `strangers` are the only faces of people, so that the right decision is unknown. Keys are the
    outcomes by the embedder that answers and by the other one.
    """

    known: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    strangers: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    agreements: Counter[Agreement] = field(default_factory=Counter)
    skipped: int = 0
    """Faces that were deleted during the comparison."""

    def add(self, owner: str, serving: Decision, other: Decision, *, is_known: bool) -> None:
        counts = self.known if is_known else self.strangers
        counts[outcome(serving, owner), outcome(other, owner)] += 1
        self.agreements[agreement(serving, other)] += 1


def compare_enrolled(
    search: BlockingSearch,
    gallery: Gallery,
    collection: str,
    faces: Sequence[SeenFace],
    *,
    progress: Callable[[], None] = lambda: None,
) -> Comparison:
    """Search each face as if it were not enrolled, by both embedders. Blocks.

    Raises CollectionNotFound, EmbedderMismatch when one of the two does not run here, and
    ThresholdRequired when one of them was not measured.
    """
    done = Comparison()
    for face in faces:
        progress()
        try:
            probe = gallery.faces.probe_of(collection, face.face_id)
            options = SearchOptions(top_k=1, exclude_face_id=face.face_id)
            serving = search.decide(collection, [probe], options).decisions
            other = search.decide_by_other_embedder(collection, [probe], options)
        except FaceNotFound:  # it was deleted since
            done.skipped += 1
            continue
        if other is None:
            raise OtherEmbedderMissing(
                f"the other embedder of collection {collection!r} does not run here", embedder=""
            )
        done.add(face.identity_id, serving[0], other[0], is_known=face.has_others)
    return done
