"""Made-up people whose photos are alike, for tests that compare with naive loops."""

import numpy as np
from numpy.typing import NDArray

from models.evaluation.photos import Groups, LabelledPhotos, ListedPairs


def embeddings(
    people: NDArray[np.intp], *, seed: int = 0, dimension: int = 6, spread: float = 0.5
) -> NDArray[np.float32]:
    """Unit rows around a direction of each person."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(int(people.max()) + 1, dimension))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    rows = centres[people] + spread * rng.normal(size=(len(people), dimension)) / dimension**0.5
    made: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(
        np.float32
    )
    return made


def photos_of(
    people: list[int],
    *,
    failed: tuple[int, ...] = (),
    groups: list[int] | None = None,
    pairs: list[tuple[int, int, int]] | None = None,
    seed: int = 0,
    spread: float = 0.5,
) -> LabelledPhotos:
    """Photo n shows `people[n]`; `failed` photos have no embedding; pairs are left, right, fold."""
    of = np.array(people, dtype=np.intp)
    rows = embeddings(of, seed=seed, spread=spread)
    rows[list(failed)] = 0
    listed = None if pairs is None else np.array(pairs, dtype=np.intp).reshape(-1, 3)
    return LabelledPhotos(
        names=tuple(f"{n}.jpg" for n in range(len(people))),
        sha256=tuple(f"{n:064x}" for n in range(len(people))),
        people=of,
        person_names=tuple(f"person {n:04}" for n in range(int(of.max()) + 1)),
        embeddings=rows,
        failures=tuple("no_face" if n in failed else None for n in range(len(people))),
        groups=None
        if groups is None
        else Groups(("first", "second"), np.array(groups, dtype=np.intp)),
        pairs=None if listed is None else ListedPairs(listed[:, 0], listed[:, 1], listed[:, 2]),
    )
