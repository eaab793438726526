"""Closed-set and open-set identification against loops over probes and people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import NearestNeighbors

from models.evaluation.protocols.closed_set import cmc, hits_by_rank, nearest_of_others, recall_at
from models.evaluation.protocols.clusters import kmeans_nmi
from models.evaluation.protocols.open_set import OpenSet, curve, draw_enrolled
from models.evaluation.protocols.search import Split, enroll_first, search
from models.evaluation.statistics.resample import draw_people
from tests.models.evaluation.factories import embeddings

PEOPLE = np.random.default_rng(0).integers(0, 40, 200)


def _best_by_person(
    rows: NDArray[np.float32], people: NDArray[np.intp], split: Split, probe: int
) -> dict[int, float]:
    """By person, the similarity of a probe and the normalised mean of their enrolled photos."""
    own: dict[int, list[NDArray[np.float32]]] = {}
    for photo in split.gallery:
        own.setdefault(int(people[photo]), []).append(rows[photo])
    means = {person: np.mean(photos, axis=0) for person, photos in own.items()}
    return {
        person: float(rows[probe] @ mean / np.linalg.norm(mean)) for person, mean in means.items()
    }


@pytest.mark.parametrize("photos", [1, 3])
def test_search_is_that_of_a_loop_over_people(photos: int) -> None:
    rows = embeddings(PEOPLE, spread=1.0)
    enrolled = draw_enrolled(40, share=0.6, seed=1)
    split = enroll_first(PEOPLE, photos=photos, enrolled=enrolled)
    found = search(rows, PEOPLE, split)
    assert len(np.unique(PEOPLE[split.gallery])) == 24
    for place, probe in enumerate(split.probes):
        best = _best_by_person(rows, PEOPLE, split, int(probe))
        assert found.best[place] == pytest.approx(max(best.values()), abs=1e-6)
        own = best.get(int(PEOPLE[probe]))
        if own is None:
            assert found.own[place] == -np.inf
            assert found.rank[place] == 25
        else:
            assert found.own[place] == pytest.approx(own, abs=1e-6)
            assert found.rank[place] == 1 + sum(value > own for value in best.values())


def test_the_first_photos_of_each_person_are_enrolled_and_the_others_looked_for() -> None:
    split = enroll_first(np.array([2, 0, 2, 2, 1, 0]), photos=1)
    assert split.gallery.tolist() == [0, 1, 4]
    assert split.probes.tolist() == [2, 3, 5]
    some = enroll_first(np.array([2, 0, 2, 2]), photos=2, enrolled=np.array([False, True, True]))
    assert (some.gallery.tolist(), some.probes.tolist()) == ([0, 2], [1, 3])


def test_equally_similar_people_do_not_count_as_recognised() -> None:
    rows = np.array([[1, 0], [1, 0], [1, 0]], dtype=np.float32)
    found = search(rows, np.array([0, 1, 0]), Split(np.array([0, 1]), np.array([2])))
    assert found.rank.tolist() == [2]


def test_an_empty_gallery_finds_nobody() -> None:
    rows = embeddings(PEOPLE)
    nobody = np.zeros(40, dtype=np.bool_)
    found = search(rows, PEOPLE, enroll_first(PEOPLE, enrolled=nobody))
    assert (found.best == -np.inf).all()


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 4)), min_size=1, max_size=40))
def test_cmc_is_the_share_of_probes_up_to_each_rank(probes: list[tuple[int, int]]) -> None:
    rank = np.array([place for place, _ in probes])
    people = np.array([person for _, person in probes])
    shares = cmc(rank, 5)
    assert shares.tolist() == [
        sum(place <= k for place, _ in probes) / len(probes) for k in range(1, 6)
    ]
    hits = hits_by_rank(rank, people, count=5, ranks=5)
    np.testing.assert_allclose(hits.sum(axis=0) / len(probes), shares)
    for person in range(5):
        own = [place for place, who in probes if who == person]
        assert hits[person].tolist() == [sum(place <= k for place in own) for k in range(1, 6)]


def test_recall_is_that_of_the_nearest_neighbours() -> None:
    rows = embeddings(PEOPLE, spread=1.2)
    nearest = nearest_of_others(rows, PEOPLE)
    counts = np.bincount(PEOPLE)
    asked = np.flatnonzero(counts[PEOPLE] > 1)
    assert (np.flatnonzero(nearest >= 0) == asked).all()
    _, neighbours = NearestNeighbors(n_neighbors=9, metric="cosine").fit(rows).kneighbors(rows)
    for k, value in recall_at(nearest, (1, 2, 4, 8)).items():
        hits = [
            PEOPLE[photo] in PEOPLE[[n for n in neighbours[photo] if n != photo][:k]]
            for photo in asked
        ]
        assert value == pytest.approx(np.mean(hits))


def _trial(seed: int = 0) -> OpenSet:
    rng = np.random.default_rng(seed)
    return OpenSet(
        own=rng.normal(1, 1, 300).astype(np.float32),
        rank=rng.integers(1, 4, 300),
        people=rng.integers(0, 50, 300),
        best=rng.normal(0, 1, 500).astype(np.float32),
        other_people=rng.integers(50, 90, 500),
    )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_fnir_and_fpir_count_what_the_standard_counts(rank: int) -> None:
    trial = _trial()
    for threshold in (-0.5, 0.3, 1.7):
        misses = sum(
            own < threshold or place > rank
            for own, place in zip(trial.own, trial.rank, strict=True)
        )
        assert trial.fnir(threshold, rank) == pytest.approx(misses / 300)
        assert trial.fpir(threshold) == pytest.approx(sum(trial.best >= threshold) / 500)


@pytest.mark.parametrize("fpir", [0.1, 0.01])
def test_replicates_of_the_open_set_are_those_of_repeated_probes(fpir: float) -> None:
    """Weights as whole numbers of copies: each replicate is the trial with its probes repeated."""
    trial = _trial()
    weights = draw_people(90, replicates=20, seed=3)
    thresholds = trial.threshold_replicates(weights, fpir)
    fnir = trial.fnir_replicates(weights, thresholds, rank=2)
    fnir_at = trial.fnir_replicates(weights, 0.4, rank=2)
    fpir_at = trial.fpir_replicates(weights, 0.4)
    for replicate, weight in enumerate(weights.astype(int)):
        known, others = weight[trial.people], weight[trial.other_people]
        copied = OpenSet(
            own=np.repeat(trial.own, known),
            rank=np.repeat(trial.rank, known),
            people=np.repeat(trial.people, known),
            best=np.repeat(trial.best, others),
            other_people=np.repeat(trial.other_people, others),
        )
        threshold = copied.threshold_at_fpir(fpir)
        assert thresholds[replicate] == pytest.approx(threshold)
        assert fnir[replicate] == pytest.approx(copied.fnir(threshold, 2))
        assert fnir_at[replicate] == pytest.approx(copied.fnir(0.4, 2))
        assert fpir_at[replicate] == pytest.approx(copied.fpir(0.4))


def test_the_curve_falls_as_more_false_alarms_are_allowed() -> None:
    trial = _trial()
    fpir, fnir = curve(trial, (1, 3))
    assert (np.diff(fpir) <= 0).all()
    assert (np.diff(fnir[1]) >= 0).all()
    assert (fnir[3] <= fnir[1]).all()


def test_nmi_is_that_of_clusters_and_people() -> None:
    people = np.repeat(np.arange(12), 8)
    apart = embeddings(people, dimension=16, spread=0.05)
    assert kmeans_nmi(apart, people, seed=0) > 0.95
    mixed = embeddings(people, spread=3.0)
    chance = normalized_mutual_info_score(people, np.random.default_rng(0).permutation(people))
    assert kmeans_nmi(mixed, people, seed=0) == pytest.approx(chance, abs=0.2)
