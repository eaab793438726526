"""Open-set error rates are those of ISO/IEC 19795-1."""

import numpy as np

from benchmarks.kit.open_set_rates import open_set_rates


def test_open_set_rates_count_what_the_standard_counts() -> None:
    rates = open_set_rates(
        enrolled_similarity=np.array([0.9, 0.9, 0.4, 0.8]),
        enrolled_right=np.array([True, False, True, True]),
        other_similarity=np.array([0.1, 0.95]),
        threshold=0.5,
    )
    assert (rates.fnir, rates.misnamed, rates.fpir) == (0.5, 0.25, 0.5)
