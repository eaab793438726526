"""Options of a 1:1 comparison."""

from dataclasses import dataclass

from app.operations.policy.face_rules import QualityFilter, VerifyFaces


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How photos are compared.

    `faces` decides about a photo of several faces, `quality_filter` how good a face must be to be
    compared. `threshold` is a similarity, `target_fmr` a false match rate (0 to 1, exclusive); with
    neither, the defaults decide. With `liveness`, that of the faces is scored, and decides nothing.
    """

    faces: VerifyFaces = VerifyFaces.SINGLE
    threshold: float | None = None
    target_fmr: float | None = None
    quality_filter: QualityFilter = QualityFilter.FLOOR
    liveness: bool = False
