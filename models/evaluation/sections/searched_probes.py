"""Searches for all probes of an identification protocol, including failures.

The gallery is the same in all replicates: intervals cover the draw of probes, not the draw of the
enrolled people.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.photos import LabelledPhotos
from models.evaluation.protocols.search import Searched, Split, enroll_first, search


@dataclass(frozen=True, slots=True)
class Trial:
    """The person of each probe, whether it has an embedding, and its search result, (probes,) each.

    A probe without an embedding has no match. `enrolled` (people,) are the people in the gallery:
    all chosen people of whom a photo could be enrolled.
    """

    people: NDArray[np.intp]
    usable: NDArray[np.bool_]
    found: Searched
    enrolled: NDArray[np.bool_]


def search_all(
    photos: LabelledPhotos, enroll_photos: int, chosen: NDArray[np.bool_] | None
) -> Trial:
    """Enroll the first photos of the `chosen` people (None: all), and search for all others.

    A photo without an embedding is a failed attempt: no other photo replaces it.
    """
    split = enroll_first(photos.people, photos=enroll_photos, enrolled=chosen)
    usable = photos.usable
    gallery = split.gallery[usable[split.gallery]]
    found = search(photos.embeddings, photos.people, Split(gallery, split.probes))
    enrolled = np.zeros(photos.person_count, dtype=np.bool_)
    enrolled[photos.people[gallery]] = True
    probes_usable = usable[split.probes]
    no_match = np.float32(-np.inf)
    return Trial(
        people=photos.people[split.probes],
        usable=probes_usable,
        found=Searched(
            own=np.where(probes_usable, found.own, no_match),
            rank=np.where(probes_usable, found.rank, int(enrolled.sum()) + 1),
            best=np.where(probes_usable, found.best, no_match),
        ),
        enrolled=enrolled,
    )


def count_of_photos(number: int) -> str:
    return "photo" if number == 1 else f"{number} photos"
