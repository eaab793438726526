"""How much more or less often strangers are as similar as some similarity than at the threshold."""

from dataclasses import dataclass
from math import nextafter

from app.gallery.records import Searched
from app.operations.policy.thresholds import Thresholds
from models.evaluation.calibration.similarity_map import ErrorRate


@dataclass(frozen=True, slots=True)
class RateScale:
    """The error rates around a decision by `policy` at `threshold`, a similarity.

    The rate is the FPIR among those `searched`; of a 1:1 comparison (None) it is the FMR of a
    person with this number of `examples`. `doubt` is the factor by which strangers match more often
    than was measured.
    """

    policy: Thresholds
    threshold: float
    searched: Searched | None = None
    examples: int = 1
    doubt: float = 1

    def error_rate(self, similarity: float) -> ErrorRate | None:
        """The rate at which strangers are at least this similar; None without a calibration."""
        if self.searched is None:
            return self.policy.fmr(similarity, examples=self.examples, doubt=self.doubt)
        return self.policy.fpir(similarity, self.searched, doubt=self.doubt)

    def rate_of_similarity(self, similarity: float) -> float | None:
        """The value of `error_rate`, 0 to 1."""
        rate = self.error_rate(similarity)
        return None if rate is None else rate.value

    def ratio(self, similarity: float, own_threshold: float | None = None) -> float | None:
        """The rate at this similarity, divided by the rate at which the decision was taken.

        It is 1 at the threshold, and falls with the similarity. It is at most 1 exactly where the
        similarity reaches the threshold and, if there is one, the person's `own_threshold`. None
        without a calibration.
        """
        rate = self.rate_of_similarity(similarity)
        decided = self.rate_of_similarity(self.threshold)
        if rate is None or decided is None:
            return None
        limit = self.threshold if own_threshold is None else max(self.threshold, own_threshold)
        # Rates are flat in places, and the threshold of a rate is found to within 1e-7.
        if similarity >= limit:
            return min(1.0, rate / decided)
        return max(nextafter(1.0, 2.0), rate / decided)
