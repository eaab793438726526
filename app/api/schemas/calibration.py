"""Error rates of a collection's similarities."""

from pydantic import Field

from app.api.schemas.parts.answer import Answer
from models.evaluation.calibration.similarity_map import SimilarityMap

_DECADES = tuple(10.0**-power for power in range(1, 9))


class ThresholdAtFmr(Answer):
    fmr: float
    similarity: float


class CalibrationBody(Answer):
    """The false match rate of each similarity, and what it was measured on."""

    source: str
    own: bool = Field(description="Measured on this collection's people, not the embedder's.")
    embedder: str
    people: int
    photos: int
    pairs: int = Field(description="Of photos of different people.")
    data_ends: float = Field(
        description="Above this similarity, rates are estimates from a fitted tail."
    )
    thresholds: list[ThresholdAtFmr] = Field(
        description="The least similarity of each false match rate; 1.0 where nothing reaches it."
    )

    @classmethod
    def measured(cls, used: SimilarityMap, *, own: bool) -> "CalibrationBody":
        thresholds = [{"fmr": fmr, "similarity": used.threshold(fmr)} for fmr in _DECADES]
        return cls.of(used, own=own, thresholds=thresholds)
