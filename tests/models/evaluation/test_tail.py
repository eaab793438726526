"""The fitted tail is that of SciPy's distribution, and finds the one that it was drawn from."""

import numpy as np
import pytest
from scipy.stats import genpareto

from models.evaluation.calibration.tail import ParetoTail, fit_tail


@pytest.mark.parametrize("shape", [-0.4, -0.1, 0.0, 0.1, 0.3])
def test_survival_is_scipys(shape: float) -> None:
    excesses = np.linspace(0.0, 5.0, 50)
    found = ParetoTail(shape, 0.7).survival(excesses)
    np.testing.assert_allclose(found, genpareto.sf(excesses, shape, scale=0.7), atol=1e-12)


@pytest.mark.parametrize("shape", [-0.4, -0.1, 0.0, 0.2])
def test_fit_finds_what_the_excesses_were_drawn_from(shape: float) -> None:
    drawn = genpareto.rvs(shape, scale=0.02, size=20_000, random_state=1)
    fitted = fit_tail(drawn, np.ones(len(drawn)))
    assert fitted.shape == pytest.approx(shape, abs=0.05)
    assert fitted.scale == pytest.approx(0.02, rel=0.05)


def test_weight_counts_as_copies() -> None:
    drawn = genpareto.rvs(-0.2, scale=1.0, size=300, random_state=2)
    copies = np.random.default_rng(3).integers(1, 4, size=300)
    weighted = fit_tail(drawn, copies.astype(np.float64))
    copied = fit_tail(np.repeat(drawn, copies), np.ones(copies.sum()))
    assert weighted.shape == pytest.approx(copied.shape, abs=1e-9)
    assert weighted.scale == pytest.approx(copied.scale, rel=1e-9)


def test_excesses_that_do_not_differ_have_no_tail() -> None:
    with pytest.raises(ValueError, match="all the same"):
        fit_tail(np.zeros(10), np.ones(10))


def test_heavy_tail_is_bounded() -> None:
    heavy = fit_tail(np.array([1e-6] * 100 + [1.0]), np.ones(101))
    assert heavy.shape <= 0.5
    assert np.isfinite(heavy.survival(np.array([0.0, 1.0]))).all()
