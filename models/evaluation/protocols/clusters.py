"""How far clusters of embeddings are the people: normalised mutual information of k-means."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import normalized_mutual_info_score
from threadpoolctl import threadpool_limits


def kmeans_nmi(embeddings: NDArray[np.float32], people: NDArray[np.intp], *, seed: int) -> float:
    """NMI (0 to 1, arithmetic mean) of as many clusters as there are people.

    The measure of metric learning (Oh Song et al., 2016). It is high by chance alone where people
    have few photos each, so compare it between networks on the same photos, and not with 0.
    """
    count = len(np.unique(people))
    # Several threads spin, and on busy cores take twenty times as long.
    with threadpool_limits(1), warnings.catch_warnings():
        # Of embeddings that have fallen together there are fewer clusters; NMI says so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(n_clusters=count, n_init=1, random_state=seed).fit_predict(embeddings)
    return float(normalized_mutual_info_score(people, found))
