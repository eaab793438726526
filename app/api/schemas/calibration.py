"""Error rates of a collection's similarities."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import AliasPath, Field

from app.api.schemas.parts.answer import Answer
from app.api.schemas.parts.decision import ErrorRateBody
from app.api.schemas.parts.field_types import ErrorRate, Schema, Threshold
from app.gallery.store.repositories.calibration_repository import CalibrationDetails
from app.operations.policy.archived_calibration import is_of_archive
from app.operations.policy.calibration_curve import CalibrationCurve
from models.evaluation.calibration.histograms import EDGES, SimilarityHistograms
from models.evaluation.calibration.similarity_map import SimilarityMap

_FROM_ARCHIVE = "Taken over from an archive, which names where it was measured: `source` begins so."
_DECADES = tuple(10.0**-power for power in range(1, 9))


class ThresholdAtFmr(Answer):
    fmr: float
    similarity: float


class CalibrationBody(Answer):
    """The false match rate of each similarity, and what it was measured on."""

    source: str
    own: bool = Field(description="Measured on this collection's people, not the embedder's.")
    from_archive: bool = Field(description=_FROM_ARCHIVE)
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
        return cls.of(used, own=own, from_archive=is_of_archive(used), thresholds=thresholds)


class CalibrationOwner(StrEnum):
    COLLECTION = "collection"
    EMBEDDER = "embedder"


class CalibrationCurveQuery(Schema):
    of: CalibrationOwner = Field(
        CalibrationOwner.COLLECTION,
        description="collection: the calibration that it decides by, its own if it has one; "
        "embedder: that of its embedder.",
    )
    target_fpir: ErrorRate | None = Field(
        None,
        description="Share of strangers who may be named, for `needed`; the default is that of the "
        "collection.",
    )
    faces_per_person: float | None = Field(
        None, ge=1, le=1_000, description="For `needed`; the default is the collection's mean."
    )
    people: int | None = Field(
        None,
        ge=1,
        le=10**9,
        description="Adds a row to `needed`; the default is the number of people of the "
        "collection.",
    )
    similarity: Threshold | None = Field(
        None, description="A fixed threshold, whose rates are to be returned in `at`."
    )


class RatePointBody(Answer):
    similarity: float
    fmr: ErrorRateBody


class NeededThresholdBody(Answer):
    people: int
    threshold: float
    extrapolated: bool = Field(description="The threshold is beyond the data.")
    reached: bool = Field(
        description="false: the measurements support no threshold for this rate among so many. "
        "`threshold` is then 1.0, and everybody is answered unknown."
    )
    fpir: ErrorRateBody = Field(description="Of this threshold, among so many people.")


class RatesAtBody(Answer):
    """The error rates of a similarity."""

    similarity: float
    people: int
    fmr: ErrorRateBody = Field(description="Of two strangers, one photo each.")
    fpir: ErrorRateBody = Field(description="Of a stranger among so many people.")


class HistogramsBody(Answer):
    """Pairs of photos by similarity, as they were counted."""

    edges: list[float] = Field(
        description="Of the bins, ascending, one more than bins. A bin includes its lower edge."
    )
    impostors: list[int] = Field(
        description="Pairs of different people in each bin: of at most 1,000 people, by one photo."
    )
    genuine: list[int] = Field(
        description="Pairs of photos of one person in each bin. The guards of enrolment refused "
        "photos that are unlike the person, so that low similarities are rare here."
    )

    @classmethod
    def stored(cls, histograms: Mapping[str, object]) -> Self:
        counted = SimilarityHistograms.from_json(histograms)
        return cls(
            edges=list(EDGES), impostors=list(counted.impostors), genuine=list(counted.genuine)
        )


class ThresholdsInUseBody(Answer):
    """What the collection decides by now, whichever calibration is shown."""

    people: int
    faces: int
    verify: float | None
    identify: float | None = Field(
        description="Not lower than `verify` while `target_fpir` is the default of the service."
    )
    margin: float


class CalibrationCurveAnswer(Answer):
    """Curves of a calibration. Between two points, the logarithm of the rate is linear."""

    source: str = Field(validation_alias=AliasPath("rates", "source"))
    own: bool = Field(description="Measured on this collection's people, not the embedder's.")
    from_archive: bool = Field(description=_FROM_ARCHIVE)
    measured_at: datetime | None = Field(description="null unless it is the collection's own.")
    embedder: str = Field(validation_alias=AliasPath("rates", "embedder"))
    people: int = Field(validation_alias=AliasPath("rates", "people"))
    photos: int = Field(validation_alias=AliasPath("rates", "photos"))
    pairs: int = Field(
        validation_alias=AliasPath("rates", "pairs"), description="Of photos of different people."
    )
    data_ends: float = Field(
        validation_alias=AliasPath("rates", "data_ends"),
        description="Above this similarity, rates are estimates from a fitted tail.",
    )
    points: list[RatePointBody] = Field(
        description="False match rates with their 95 % intervals, by ascending similarity. A rate "
        "of 1e-12 stands for all lower ones."
    )
    histograms: HistogramsBody | None = Field(
        description="null for the calibration of an embedder or of an archive, and for one that an "
        "earlier version measured."
    )
    target_fpir: float
    faces_per_person: float
    needed: list[NeededThresholdBody] = Field(
        description="The threshold that keeps to `target_fpir`, by the number of people searched."
    )
    in_use: ThresholdsInUseBody
    at: RatesAtBody | None = Field(description="The rates of `similarity`, if it was sent.")

    @classmethod
    def drawn(
        cls, curve: CalibrationCurve, *, own: bool, details: CalibrationDetails | None
    ) -> Self:
        stored = None if details is None else details.histograms
        return cls.of(
            curve,
            own=own,
            from_archive=is_of_archive(curve.rates),
            measured_at=None if details is None else details.measured_at,
            histograms=None if stored is None else HistogramsBody.stored(stored),
        )
