"""Histograms of similarities, compared with a loop over all pairs."""

import numpy as np

from models.evaluation.calibration.histograms import BINS, EDGES, similarity_histograms


def test_pairs_are_counted_as_a_loop_counts_them() -> None:
    random = np.random.default_rng(3)
    people = [f"p{number}" for number in random.integers(40, size=150)]
    centres = {name: random.normal(size=16) for name in sorted(set(people))}
    rows = np.array([centres[name] + 0.5 * random.normal(size=16) for name in people])
    embeddings = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    impostors, genuine = [0] * BINS, [0] * BINS
    first = {name: people.index(name) for name in people}
    for one in range(len(people)):
        for other in range(one):
            similarity = float(embeddings[one] @ embeddings[other])
            place = max(place for place in range(BINS) if EDGES[place] <= similarity)
            if people[one] == people[other]:
                genuine[place] += 1
            elif first[people[one]] == one and first[people[other]] == other:
                impostors[place] += 1
    counted = similarity_histograms(embeddings, people)
    assert counted.genuine == tuple(genuine)
    assert counted.impostors == tuple(impostors)
    assert sum(impostors) == len(first) * (len(first) - 1) // 2


def test_of_many_people_and_photos_some_are_counted() -> None:
    embeddings = np.zeros((1_130, 4), np.float32)
    embeddings[:, 0] = 1
    people = ["one"] * 30 + [f"p{number}" for number in range(1_100)]
    counted = similarity_histograms(embeddings, people)
    assert counted.genuine[-1] == sum(counted.genuine) == 20 * 19 // 2
    assert counted.impostors[-1] == sum(counted.impostors) == 1_000 * 999 // 2


def test_nobody_makes_no_pairs() -> None:
    counted = similarity_histograms(np.empty((0, 4), np.float32), [])
    assert sum(counted.impostors) + sum(counted.genuine) == 0
