"""The similarity that counts as a match, and its error rate."""

from dataclasses import dataclass, replace

from app.errors import ThresholdRequired
from app.gallery.collection_options import DecisionOptions
from app.gallery.records import Searched
from models.evaluation.calibration.similarity_map import ErrorRate, SimilarityMap

_RESEMBLING_FMR = 1e-2
_ALIKE_FMR = 3e-5  # by benchmarks/accuracy/unknowns.py and benchmarks/accuracy/doctor.py
_MARGIN_DECADES = 0.36  # of the FMR, by benchmarks/accuracy/margin.py
_UNMEASURED_MARGIN = 0.005


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The default policy of verify and identify, for an embedder or one of its collections.

    `verify` and `identify` are similarities. Where one is None, the threshold is that of an error
    rate (`target_fmr` for verify, `target_fpir` for identify), by `map`, which is None if the
    embedder was not measured. The threshold or rate of a request always wins. `margin` is the
    difference of similarities below which two people who both match are ambiguous, if a collection
    fixes one; None: see `find_margin`. `cautious`: `target_fpir` is a default that was not chosen,
    so identify takes no lower threshold than verify, however few are searched. `least_shown`: see
    `disclosure.least_shown`; None: no similarity is withheld.
    """

    embedder: str
    map: SimilarityMap | None
    target_fmr: float
    target_fpir: float
    margin: float | None = None
    verify: float | None = None
    identify: float | None = None
    cautious: bool = True
    least_shown: float | None = None

    def of(self, options: DecisionOptions, own_map: SimilarityMap | None) -> "Thresholds":
        """The policy of a collection with these options and, if there is one, this calibration."""
        chosen_rate = options.target_fpir is not None
        return replace(
            self,
            map=own_map or self.map,
            target_fmr=options.target_fmr or self.target_fmr,
            target_fpir=options.target_fpir or self.target_fpir,
            margin=self.margin if options.margin is None else options.margin,
            # A collection's rate wins over the service's similarity.
            verify=_first(options.verify_threshold, None if options.target_fmr else self.verify),
            identify=_first(options.identify_threshold, None if chosen_rate else self.identify),
            cautious=self.cautious and not chosen_rate,
        )

    def for_verify(
        self,
        threshold: float | None = None,
        target_fmr: float | None = None,
        *,
        examples: float = 1,
        doubt: float = 1,
    ) -> float:
        """The threshold of a comparison with a person who has this number of examples.

        `doubt` is the factor by which strangers match more often than was measured. Raises
        ThresholdRequired when there is neither a similarity nor a calibration.
        """
        if threshold is not None:
            return threshold
        if target_fmr is None and self.verify is not None:
            return self.verify
        rates = self._map("VERIFY")
        return rates.threshold((target_fmr or self.target_fmr) / rates.gain(examples) / doubt)

    def for_identify(
        self,
        threshold: float | None = None,
        target_fpir: float | None = None,
        *,
        searched: Searched,
        looks: int = 1,
        doubt: float = 1,
    ) -> float:
        """The threshold of a 1:N search among those `searched`.

        If it is one of several `looks`, they share the rate. `doubt` is as for `for_verify`. Raises
        ThresholdRequired when there is neither a similarity nor a calibration.
        """
        if threshold is not None:
            return threshold
        if target_fpir is None and self.identify is not None:
            return self.identify
        rates = self._map("IDENTIFY")
        found = rates.identification_threshold(
            (target_fpir or self.target_fpir) / looks / doubt,
            people=searched.people,
            faces=searched.faces,
        )
        if target_fpir is None and self.cautious:
            each = max(1.0, searched.faces / max(1, searched.people))
            return max(found, self.for_verify(examples=each, doubt=doubt))
        return found

    def require_identify(self, threshold: float | None, target_fpir: float | None) -> None:
        """Raises ThresholdRequired if `for_identify` would."""
        if threshold is None and (target_fpir is not None or self.identify is None):
            self._map("IDENTIFY")

    def find_verify(self) -> float | None:
        """The default threshold of a comparison; None if it was not measured."""
        return self.verify if self.map is None else self.for_verify()

    def find_identify(self, searched: Searched) -> float | None:
        """The default threshold of a search; None if it was not measured."""
        if self.map is None and self.identify is None:
            return None
        return self.for_identify(searched=searched)

    def find_margin(self) -> float:
        """The difference of similarities below which two people who both match are ambiguous.

        It is the fixed one, else the share of a decade of FMR that `benchmarks/accuracy/margin.py`
        found best, as the distances of similarities depend on the embedder.
        """
        if self.margin is not None:
            return self.margin
        if self.map is None:
            return _UNMEASURED_MARGIN
        return _MARGIN_DECADES * (self.map.threshold(1e-4) - self.map.threshold(1e-3))

    def resembling(self) -> float | None:
        """The similarity from which on two photos may be of one person; None if unknown.

        It is lower than that of verify, to accept photos of a person at another age or pose.
        """
        if self.map is None:
            return self.verify
        return min(self.map.threshold(_RESEMBLING_FMR), self.for_verify())

    def alike(self) -> float | None:
        """The similarity from which on two faces count as one person's without a request.

        It is the fixed one of identify, else that of FMR 3e-5; None if it was not measured. Unknown
        faces are grouped by it, and the doctor reports findings by it.
        """
        if self.identify is not None or self.map is None:
            return self.identify
        return self.map.threshold(_ALIKE_FMR)

    def fmr(self, similarity: float, *, examples: int = 1, doubt: float = 1) -> ErrorRate | None:
        """The chance that two strangers are at least this similar; None without a calibration.

        `doubt` is as for `for_verify`.
        """
        if self.map is None:
            return None
        return _doubted(self.map.fmr(similarity, examples=examples), doubt)

    def gain(self, examples: int) -> float:
        """Factor by which strangers match a person with this number of examples more often than one
        with a single example; 1 without a calibration."""
        return 1.0 if self.map is None else self.map.gain(examples)

    def fpir(self, similarity: float, searched: Searched, *, doubt: float = 1) -> ErrorRate | None:
        """The chance that a stranger is at least this similar to one of those searched.

        `doubt` is as for `for_verify`.
        """
        if self.map is None:
            return None
        rate = self.map.fpir(similarity, people=searched.people, faces=searched.faces)
        return _doubted(rate, doubt)

    def _map(self, setting: str) -> SimilarityMap:
        if self.map is None:
            raise self.not_measured(setting)
        return self.map

    def not_measured(self, *settings: str) -> ThresholdRequired:
        """The error of a threshold that is not known; `settings` would give one."""
        return ThresholdRequired(
            f"the error rates of {self.embedder} were not measured, so it has no default threshold",
            settings=[f"VULTUS_THRESHOLDS__{name}" for name in settings],
        )


def _doubted(rate: ErrorRate, doubt: float) -> ErrorRate:
    if doubt == 1:
        return rate
    return replace(
        rate,
        value=min(1.0, doubt * rate.value),
        low=min(1.0, doubt * rate.low),
        high=min(1.0, doubt * rate.high),
    )


def _first(chosen: float | None, otherwise: float | None) -> float | None:
    return otherwise if chosen is None else chosen
