"""Agreement of clusters of embeddings with people: normalised mutual information of k-means."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import normalized_mutual_info_score
from threadpoolctl import threadpool_limits


def kmeans_nmi(embeddings: NDArray[np.float32], people: NDArray[np.intp], *, seed: int) -> float:
    """NMI (0 to 1, arithmetic mean) with as many clusters as people.

    A measure of metric learning (Oh Song et al., 2016). Where people have few photos each, it is
    high by chance, so compare networks on the same photos.
    """
    count = len(np.unique(people))
    # Several threads wait by spinning, and take twenty times as long on busy cores.
    with threadpool_limits(1), warnings.catch_warnings():
        # Equal embeddings make fewer clusters, which the NMI shows.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(n_clusters=count, n_init=1, random_state=seed).fit_predict(embeddings)
    return float(normalized_mutual_info_score(people, found))
