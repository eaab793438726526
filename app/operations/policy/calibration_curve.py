"""A calibration as curves to plot: rates by similarity, and thresholds by the number of people."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.gallery.records import Searched
from app.operations.policy.thresholds import Thresholds
from models.evaluation.calibration.similarity_map import ErrorRate, SimilarityMap

SIZES = (*(step * 10**decade for decade in range(7) for step in (1, 2, 5)), 10**7)
"""Numbers of people, from 1 to ten million."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """The false match rate at a similarity; `extrapolated` rates are beyond the data."""

    similarity: float
    fmr: ErrorRate


@dataclass(frozen=True, slots=True)
class NeededThreshold:
    """The least similarity that keeps to an FPIR among so many people, and its FPIR.

    `reached`: whether the measurements support such a threshold; if not, it is 1.0. `extrapolated`:
    it is beyond the data.
    """

    people: int
    threshold: float
    fpir: ErrorRate
    reached: bool

    @property
    def extrapolated(self) -> bool:
        return self.fpir.extrapolated


@dataclass(frozen=True, slots=True)
class RatesAt:
    """The error rates of a similarity: of two strangers, and of a stranger among so many people."""

    similarity: float
    people: int
    fmr: ErrorRate
    fpir: ErrorRate


@dataclass(frozen=True, slots=True)
class ThresholdsInUse:
    """What a collection decides by now. `people` and `faces`: how many it has."""

    people: int
    faces: int
    verify: float | None
    identify: float | None
    margin: float


@dataclass(frozen=True, slots=True)
class CalibrationCurve:
    """The curves of `rates`: `points` ascend in similarity, `needed` in the number of people."""

    rates: SimilarityMap
    target_fpir: float
    faces_per_person: float
    points: Sequence[RatePoint]
    needed: Sequence[NeededThreshold]
    in_use: ThresholdsInUse
    at: RatesAt | None


def calibration_curve(
    rates: SimilarityMap,
    policy: Thresholds,
    searched: Searched,
    *,
    target_fpir: float | None = None,
    faces_per_person: float | None = None,
    people: int | None = None,
    similarity: float | None = None,
) -> CalibrationCurve:
    """Make the curves of a calibration for a collection with this policy, and so many people.

    `target_fpir` (0 to 1, exclusive) is the policy's if it is None. `faces_per_person`, 1 or more,
    is the mean of the collection if it is None. `needed` has a row for each of `SIZES`, and for
    `people`, by default those that there are. `at` are the rates of `similarity` among `people`.
    """
    target = target_fpir or policy.target_fpir
    each = faces_per_person or max(1.0, searched.faces / max(1, searched.people))
    similarities = sorted({*rates.similarities, rates.data_ends})
    count = people or searched.people
    sizes = sorted({*SIZES, count} - {0})
    return CalibrationCurve(
        rates=rates,
        target_fpir=target,
        faces_per_person=each,
        points=[RatePoint(similarity, rates.fmr(similarity)) for similarity in similarities],
        needed=[_needed(rates, target, people, round(people * each)) for people in sizes],
        in_use=ThresholdsInUse(
            people=searched.people,
            faces=searched.faces,
            verify=policy.find_verify(),
            identify=policy.find_identify(searched),
            margin=policy.find_margin(),
        ),
        at=None if similarity is None else _at(rates, similarity, count, round(count * each)),
    )


def _at(rates: SimilarityMap, similarity: float, people: int, faces: int) -> RatesAt:
    fpir = rates.fpir(similarity, people=people, faces=faces)
    return RatesAt(similarity, people, rates.fmr(similarity), fpir)


def _needed(rates: SimilarityMap, target: float, people: int, faces: int) -> NeededThreshold:
    threshold = rates.identification_threshold(target, people=people, faces=faces)
    fpir = rates.fpir(threshold, people=people, faces=faces)
    return NeededThreshold(people, threshold, fpir, reached=fpir.value <= target)
