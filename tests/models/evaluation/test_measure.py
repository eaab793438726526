"""A calibration is what counting all pairs gives, and keeps on people it has not seen."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.evaluation.calibration import measure_map as measure
from models.evaluation.calibration.measure_map import measure_map
from models.evaluation.calibration.similarity_map import SimilarityMap

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


def _isotropic(people: int, photos: int, seed: int) -> tuple[NDArray[np.float32], list[str]]:
    """Everybody is as like everybody else; their own photos are alike."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(size=(people, 64)), photos, axis=0)
    rows = centres + 0.6 * rng.normal(size=centres.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), [str(person) for person in np.repeat(np.arange(people), photos)]


def test_equal_probes_are_found_to_be_equal() -> None:
    embeddings, names = _isotropic(400, 1, seed=8)
    measured = measure_map(embeddings, names, embedder="", digest="", source="")
    fmr = measured.fmr(measured.threshold(1e-4)).value
    rate = measured.fpir(measured.threshold(1e-4), people=2_000, faces=2_000)
    assert rate.value == pytest.approx(1 - (1 - fmr) ** 2_000, rel=0.05)


def test_gains_are_measured_where_enough_match_and_usual_ones_elsewhere() -> None:
    many, names = _isotropic(1_500, 2, seed=9)
    measured = measure_map(many, names, embedder="", digest="", source="")
    threshold = measured.threshold(1e-3)
    pairs, singles = many.reshape(1_500, 2, 64), many[::2]
    means = pairs.mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    strangers = ~np.eye(1_500, dtype=bool)
    by_photo = ((many @ singles.T) >= threshold).reshape(1_500, 2, 1_500)
    single = by_photo.mean(axis=1)[strangers].mean()
    template = ((means @ singles.T) >= threshold)[strangers].mean()
    assert measured.gain(2) == pytest.approx(template / single, rel=0.02)
    assert measured.gain(8) == pytest.approx(6.2)  # nobody has so many: as usual
    few = measure_map(many[:120], names[:120], embedder="", digest="", source="")
    assert few.gain(2) == pytest.approx(2.7)
    given = measure_map(
        many[:120],
        names[:120],
        embedder="",
        digest="",
        source="",
        usual_gains=((1.0, 1.0), (3.0, 2.0)),
    )
    assert [given.gain(examples) for examples in (2, 3, 8)] == [1.5, 2.0, 2.0]


def test_copies_under_two_names_are_measured_all_the_same() -> None:
    rng = np.random.default_rng(10)
    originals, _ = _isotropic(300, 1, seed=10)
    copies = originals + 0.001 * rng.normal(size=originals.shape)
    copies /= np.linalg.norm(copies, axis=1, keepdims=True)
    rows = np.concatenate([originals, copies.astype(np.float32)])
    measured = measure_map(rows, [str(n) for n in range(600)], embedder="", digest="", source="")
    assert measured.threshold(1e-4) > 0.99
    assert measured.fmr(0.99).value == pytest.approx(300 / (600 * 599 / 2), rel=0.05)


def test_too_many_photos_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, names = _people(300, seed=11)
    whole = measure_map(embeddings, names, embedder="", digest="", source="")
    monkeypatch.setattr(measure, "_MOST_PHOTOS", 600)
    monkeypatch.setattr(measure, "_MOST_KEPT", 10_000)
    some = measure_map(embeddings, names, embedder="", digest="", source="")
    assert some.photos == 600
    for fmr in (0.5, 0.1, 0.01, 1e-3):
        assert some.fmr(whole.threshold(fmr)).value == pytest.approx(fmr, rel=0.35)
