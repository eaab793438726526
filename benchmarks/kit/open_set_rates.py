"""Open-set identification error rates, from the best candidate of each probe."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OpenSetRates:
    """ISO/IEC 19795-1: FNIR is the share of probes of enrolled people that are not named rightly at
    rank 1, FPIR the share of probes of others that are given any name; `misnamed` is the share of
    probes of enrolled people that are given a wrong name (part of FNIR).
    """

    fnir: float
    fpir: float
    misnamed: float


def open_set_rates(
    *,
    enrolled_similarity: NDArray[np.floating],
    enrolled_right: NDArray[np.bool_],
    other_similarity: NDArray[np.floating],
    threshold: float,
) -> OpenSetRates:
    """Open-set identification at rank 1, from the best candidate of each probe.

    `enrolled_similarity` and `enrolled_right` (is the best candidate the right person?) are those
    of enrolled people's probes, `other_similarity` those of people who are not enrolled.
    """
    named = enrolled_similarity >= threshold
    return OpenSetRates(
        fnir=float(np.mean(~(named & enrolled_right))),
        fpir=float(np.mean(other_similarity >= threshold)),
        misnamed=float(np.mean(named & ~enrolled_right)),
    )
