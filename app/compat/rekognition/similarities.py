"""How similar, in Rekognition's numbers: 80 is exactly where Vultus decides."""

from collections.abc import Iterator

from app.compat.similarity import REKOGNITION
from app.gallery.people.same_picture import SAME_CROP
from app.gallery.records import Identity
from app.operations.policy.decisions import Decision, Status, threshold_of
from app.operations.policy.rate_scale import RateScale

_MOST_BY_RATES = 1 - 1e-9
"""Up to here, similarities follow from rates; 1 is that of the same picture."""


def percent_of(
    scale: RateScale, similarity: float, *, is_match: bool, own_threshold: float | None = None
) -> float:
    """Return how similar two faces are, 0 to 100, by the rates around the decision about them."""
    value = REKOGNITION.of(
        scale.ratio(similarity, own_threshold=own_threshold),
        similarity=similarity,
        threshold=scale.threshold,
        is_match=is_match,
    )
    # A rate is never 0, but the same picture is as similar as can be.
    return 100.0 if is_match and similarity >= SAME_CROP else 100 * value


def most_ratio(percent: float) -> float:
    """Return up to which rate, as a multiple of that of the decision, faces are so similar."""
    return REKOGNITION.ratio_of(min(percent / 100, _MOST_BY_RATES))


def similar_people(decision: Decision, least: float) -> Iterator[tuple[Identity, float]]:
    """Yield the people whom a face resembles by `least`, 0 to 100, the most similar first.

    Of people who are equally similar, none reaches 80.
    """
    if decision.scale is None:
        return
    is_decided = decision.status is not Status.AMBIGUOUS
    for found in decision.candidates:
        own = found.identity.threshold
        percent = percent_of(
            decision.scale,
            found.similarity,
            is_match=is_decided and found.similarity >= threshold_of(found, decision.threshold),
            own_threshold=own,
        )
        if percent >= least:
            yield found.identity, percent
