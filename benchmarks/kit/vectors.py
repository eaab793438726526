"""Synthetic people: random directions, of which any two are about as unlike as can be.

Real embeddings lie closer together. These measure speed, memory and whether answers are right, not
how well a network distinguishes people.
"""

from base64 import b64encode
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

DIMENSION = 128

Vectors = NDArray[np.float32]
"""Shape (N, DIMENSION), each row of length 1."""


def unit_vectors(count: int, generator: np.random.Generator) -> Vectors:
    vectors = generator.standard_normal((count, DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def noisy(vectors: Vectors, cosine: float, generator: np.random.Generator) -> Vectors:
    """Copies at exactly this cosine from their originals, each in a random direction."""
    away = generator.standard_normal(vectors.shape, dtype=np.float32)
    away -= np.sum(away * vectors, axis=1, keepdims=True) * vectors
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(cosine * vectors + np.sqrt(1 - cosine**2) * away, dtype=np.float32)


def person_line(person: str, vector: NDArray[np.float32]) -> bytes:
    """Line of a batch: an external_id and an embedding."""
    data = b64encode(vector.astype("<f4").tobytes())
    return b'{"external_id":"%b","embeddings":["%b"]}\n' % (person.encode("ascii"), data)


def lines(vectors: Vectors, first: int, at_once: int = 1_000) -> Iterator[bytes]:
    """Lines of people who are named by their numbers, `at_once` in each piece."""
    for start in range(0, len(vectors), at_once):
        some = vectors[start : start + at_once]
        yield b"".join(
            person_line(name_of(first + start + n), vector) for n, vector in enumerate(some)
        )


def name_of(number: int) -> str:
    """The external_id of a person; none is the beginning of another."""
    return f"person-{number:09d}"
