"""A calibration is what counting all pairs gives, and keeps on people it has not seen."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.evaluation.calibration import SimilarityMap
from models.evaluation.measure import measure_map

DIMENSION = 24


def _people(count: int, seed: int) -> tuple[NDArray[np.float32], list[str]]:
    """Synthetic people with 1 to 9 photos each, scattered around a direction of their own."""
    rng = np.random.default_rng(seed)
    rows, names = [], []
    for person in range(count):
        centre = rng.normal(size=DIMENSION)
        for _ in range(rng.integers(1, 10)):
            photo = centre + 0.5 * rng.normal(size=DIMENSION)
            rows.append(photo / np.linalg.norm(photo))
            names.append(f"person {person}")
    return np.array(rows, dtype=np.float32), names


def _map(count: int, seed: int) -> SimilarityMap:
    return measure_map(*_people(count, seed), embedder="net", digest="d" * 64, source="made up")


def test_rates_are_those_of_a_naive_loop() -> None:
    embeddings, names = _people(60, seed=1)
    measured = measure_map(embeddings, names, embedder="net", digest="d", source="made up")
    by_person: dict[str, list[NDArray[np.float32]]] = {}
    for name, row in zip(names, embeddings, strict=True):
        by_person.setdefault(name, []).append(row)
    pairs = 0
    at: dict[float, list[float]] = {measured.threshold(fmr): [] for fmr in (0.1, 0.03, 0.02)}
    for one, other in combinations(by_person.values(), 2):
        similarities = [float(a @ b) for a in one for b in other]
        pairs += len(similarities)
        for threshold, shares in at.items():
            shares.append(float(np.mean([s >= threshold for s in similarities])))
    assert (measured.people, measured.photos, measured.pairs) == (60, len(names), pairs)
    for threshold, shares in at.items():
        rate = measured.fmr(threshold)
        assert not rate.extrapolated
        assert rate.value == pytest.approx(np.mean(shares), rel=0.05)
        assert rate.low < rate.value < rate.high


def test_rates_hold_on_other_people() -> None:
    measured, fresh = _map(400, seed=2), _map(400, seed=3)
    for fmr in (0.1, 1e-2, 1e-3, 1e-4, 1e-5):
        assert 0.4 < fresh.fmr(measured.threshold(fmr)).value / fmr < 2.5


def test_tail_reaches_beyond_the_data_and_says_so() -> None:
    measured = _map(200, seed=4)
    rare = measured.fmr(measured.threshold(1e-7))
    assert rare.extrapolated
    assert rare.low < 1e-7 < rare.high
    assert measured.data_ends < measured.threshold(1e-7)


def test_many_photos_of_one_person_do_not_outweigh_the_others() -> None:
    embeddings, names = _people(100, seed=5)
    last = [place for place, name in enumerate(names) if name == names[-1]]
    copies = [place for place in range(len(names)) for _ in range(20 if place in last else 1)]
    plain = measure_map(embeddings, names, embedder="", digest="", source="")
    crowded = measure_map(
        embeddings[copies], [names[place] for place in copies], embedder="", digest="", source=""
    )
    for fmr in (0.1, 0.01):
        assert crowded.fmr(plain.threshold(fmr)).value == pytest.approx(fmr, rel=0.15)


def test_two_names_for_one_person_make_it_stricter() -> None:
    embeddings, names = _people(200, seed=6)
    doubled = [f"{name} again" if place % 2 else name for place, name in enumerate(names)]
    honest = measure_map(embeddings, names, embedder="", digest="", source="")
    fooled = measure_map(embeddings, doubled, embedder="", digest="", source="")
    for fmr in (1e-3, 1e-4):
        assert fooled.threshold(fmr) >= honest.threshold(fmr)


def test_few_people_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="49 people are too few"):
        _map(49, seed=7)
    with pytest.raises(ValueError, match="0 people"):
        measure_map(np.empty((0, 8), np.float32), [], embedder="", digest="", source="")


def test_network_to_which_everybody_is_alike_matches_nobody() -> None:
    one = np.zeros((60, 8), np.float32)
    one[:, 0] = 1.0
    measured = measure_map(one, [str(i) for i in range(60)], embedder="", digest="", source="")
    assert measured.threshold(0.1) == 1.0
    assert measured.fmr(1.0).value == 1.0
