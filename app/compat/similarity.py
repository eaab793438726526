"""The similarity of other APIs, from error rates: one formula, with each API's own threshold.

s = 1 / (1 + ((1 - a) / a) r). r is the rate at which strangers are at least as similar, over that
rate where Vultus decides; a is the threshold that clients of the API use by default. So s reaches a
exactly where Vultus decides for a match, whatever the network and the size of the collection.
docs/compat/similarity.md says what the numbers mean.
"""

from dataclasses import dataclass
from math import inf

import numpy as np

_IDENTICAL = 1 - 1e-6
_JUST_BELOW = 1e-4
"""What may not look like a match stays this far below the default, also after rounding."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Similarities of an API, 0 to 1, of which clients demand `default` if they name none."""

    default: float

    def of(
        self, ratio: float | None, *, similarity: float, threshold: float, is_match: bool
    ) -> float:
        """Return what an API calls the similarity of two faces, 0 to 1.

        `ratio` is r: 1 at the threshold of the decision, less above it; None where the error rates
        were not measured: then s is linear in the cosine `similarity` (-1 to 1), below and above
        the `threshold`. What is no match, also because it is ambiguous, stays below the default.
        Identical embeddings have 1, although the rate there is an estimate above zero.
        """
        if is_match and similarity >= _IDENTICAL:
            return 1.0
        value = self._linear(similarity, threshold) if ratio is None else self._of_ratio(ratio)
        return max(value, self.default) if is_match else min(value, self.default - _JUST_BELOW)

    def ratio_of(self, value: float) -> float:
        """Return r of a similarity, 0 to 1: how many times as often as at Vultus' threshold
        strangers reach it."""
        if value <= 0:
            return inf
        return (1 / value - 1) * self.default / (1 - self.default)

    def threshold_of(self, value: float, threshold: float) -> float:
        """Return the cosine of a similarity, 0 to 1, where the error rates were not measured."""
        if value < self.default:
            return value / self.default * (threshold + 1) - 1
        return threshold + (value - self.default) / (1 - self.default) * (1 - threshold)

    def _of_ratio(self, ratio: float) -> float:
        return 1 / (1 + (1 - self.default) / self.default * ratio)

    def _linear(self, similarity: float, threshold: float) -> float:
        return float(np.interp(similarity, (-1.0, threshold, 1.0), (0.0, self.default, 1.0)))


COMPREFACE = Scale(0.5)
DEEPSTACK = Scale(0.67)
REKOGNITION = Scale(0.8)
