"""How like a user a face must be to be associated: `UserMatchThreshold`, and `Confidence`."""

from app.compat.rekognition.similarities import percent_of
from app.compat.similarity import REKOGNITION
from app.gallery.people.assignment_records import AssignedFace
from app.operations.face_assigner import AssignOptions
from app.operations.policy.rate_scale import RateScale
from app.operations.policy.thresholds import Thresholds

_MOST_FACES = 100
"""Faces that a user may have, as AWS documents it."""
_SAME_PICTURE = 1 - 1e-6
_LEAST_RATE = 1e-15


def options_of(percent: float, policy: Thresholds) -> AssignOptions:
    """Return how like the user a face must be by `UserMatchThreshold`, 0 to 100.

    80 is the decision of verify. 0 lets in each face. Raises ThresholdRequired.
    """
    value = percent / 100
    if value <= 0:
        return AssignOptions(force=True, most_faces=_MOST_FACES)
    if value >= 1:
        return AssignOptions(threshold=_SAME_PICTURE, most_faces=_MOST_FACES)
    decision = policy.for_verify()
    at_decision = policy.fmr(decision)
    if at_decision is None:
        threshold = REKOGNITION.threshold_of(value, decision)
        return AssignOptions(threshold=threshold, most_faces=_MOST_FACES)
    rate = at_decision.value * REKOGNITION.ratio_of(value)
    if rate >= 1:
        return AssignOptions(threshold=-1.0, most_faces=_MOST_FACES)
    return AssignOptions(target_fmr=max(rate, _LEAST_RATE), most_faces=_MOST_FACES)


def confidence_of(face: AssignedFace, policy: Thresholds) -> float | None:
    """Return how like the user a face is that was refused, 0 to 100; None where that is withheld.

    The policy is one that `options_of` took.
    """
    if face.similarity is None:
        return None
    decision = policy.for_verify(examples=face.examples)
    scale = RateScale(policy, decision, examples=face.examples)
    return percent_of(scale, face.similarity, is_match=face.similarity >= decision)
