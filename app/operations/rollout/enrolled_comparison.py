"""Compare the two embedders of a collection by the faces that are enrolled in it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.errors import FaceNotFound, SecondEmbedderMissing
from app.gallery.gallery import Gallery
from app.gallery.store.repositories.rollout_repository import SeenFace
from app.operations.identify.blocking_search import BlockingSearch
from app.operations.policy.decisions import Decision, SearchOptions, Status
from app.operations.rollout.shadow_decisions import Agreement, agreement


class Outcome(StrEnum):
    """Of an enrolled face that is looked up as if it were not enrolled."""

    RIGHT = "right"
    WRONG = "wrong"
    """Somebody else's name."""
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


def outcome(decision: Decision, owner: str) -> Outcome:
    if decision.identity is None:
        is_ambiguous = decision.status is Status.AMBIGUOUS
        return Outcome.AMBIGUOUS if is_ambiguous else Outcome.UNKNOWN
    return Outcome.RIGHT if decision.identity.id == owner else Outcome.WRONG


@dataclass(slots=True)
class Comparison:
    """Decisions of both embedders about enrolled faces, each of which was left out.

    `known` are faces of people who have others, who should be found by these. `strangers` are those
    of people who have no other: left out, they are nobody, and unknown is the right answer.
    """

    known: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    strangers: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    agreements: Counter[Agreement] = field(default_factory=Counter)
    skipped: int = 0
    """Faces that were deleted meanwhile."""

    def add(self, owner: str, first: Decision, second: Decision, *, is_known: bool) -> None:
        counts = self.known if is_known else self.strangers
        counts[outcome(first, owner), outcome(second, owner)] += 1
        self.agreements[agreement(first, second)] += 1


def compare_enrolled(
    search: BlockingSearch,
    gallery: Gallery,
    collection: str,
    faces: Sequence[SeenFace],
    *,
    progress: Callable[[], None] = lambda: None,
) -> Comparison:
    """Look up each face as if it were not enrolled, by both embedders. Blocks.

    Raises CollectionNotFound, EmbedderMismatch when one of the two does not run here, and
    ThresholdRequired when nobody has measured one of them.
    """
    done = Comparison()
    for face in faces:
        progress()
        try:
            probe = gallery.faces.probe_of(collection, face.face_id)
            options = SearchOptions(top_k=1, exclude_face_id=face.face_id)
            first = search.decide(collection, [probe], options).decisions
            second = search.decide_by_other_embedder(collection, [probe], options)
        except FaceNotFound:  # deleted meanwhile
            done.skipped += 1
            continue
        if second is None:
            raise SecondEmbedderMissing(
                f"the second embedder of collection {collection!r} does not run here", embedder=""
            )
        done.add(face.identity_id, first[0], second[0], is_known=face.has_others)
    return done
