"""NMI of clusters."""

import numpy as np

from models.evaluation.protocols.clusters import kmeans_nmi


def test_embeddings_that_fell_together_tell_nothing_of_people() -> None:
    people = np.repeat(np.arange(3), 4)
    assert kmeans_nmi(np.ones((12, 2), dtype=np.float32), people, seed=0) == 0.0


def test_people_who_lie_apart_are_told_apart() -> None:
    people = np.repeat(np.arange(3), 4)
    assert kmeans_nmi(np.eye(3, dtype=np.float32)[people], people, seed=0) == 1.0
