"""How alike, in CompreFace's numbers: 0.5 is exactly where Vultus decides."""

from typing import Final

from app.compat.compreface.answers import NamedSimilarity
from app.compat.compreface.face_bodies import rounded
from app.compat.person_names import name_of
from app.compat.similarity import COMPREFACE
from app.gallery.records import NAMED
from app.operations.identify.verification import Comparison
from app.operations.policy.decisions import Decision, SearchOptions, Stage, Status

NOBODY: Final = NamedSimilarity(subject="unknown", similarity=0.0)
"""Stands where /v1 withholds who is most alike: clients take the first subject unseen."""


def named_people(most: int) -> SearchOptions:
    """Return the options of a search for subjects: people who are anonymous are none."""
    return SearchOptions(top_k=most, stages=(Stage(NAMED),))


def named(decision: Decision, most: int) -> list[NamedSimilarity]:
    """Return the subjects of a face, most similar first; none only where no face is enrolled.

    Only a person who is recognised reaches 0.5: not one of two who are equally alike, and not one
    who does not reach a threshold of their own.
    """
    if decision.status is not Status.REJECTED and not decision.searched.faces:
        return []
    scale = decision.scale
    if scale is None:
        return [NOBODY]
    found = [
        NamedSimilarity(
            subject=name_of(one.identity),
            similarity=rounded(
                COMPREFACE.of(
                    scale.ratio(one.similarity, own_threshold=one.identity.threshold),
                    similarity=one.similarity,
                    threshold=scale.threshold,
                    is_match=decision.identity is not None
                    and one.identity.id == decision.identity.id,
                )
            ),
        )
        for one in decision.candidates
    ]
    found.sort(key=lambda one: -one.similarity)
    return found[:most] or [NOBODY]


def compared(comparison: Comparison | None) -> float:
    """Return how alike two faces are; 0 where it is withheld, or nothing was compared."""
    if comparison is None or comparison.similarity is None or comparison.scale is None:
        return 0.0
    return rounded(
        COMPREFACE.of(
            comparison.scale.ratio(comparison.similarity),
            similarity=comparison.similarity,
            threshold=comparison.scale.threshold,
            is_match=comparison.similarity >= comparison.threshold,
        )
    )
