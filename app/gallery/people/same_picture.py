"""The one rule for which faces of a person are of the same picture: it is enrolled once."""

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.recognition.types import Embedding

SAME_CROP = 1.0 - 1e-6
"""Similarity from which on two embeddings are of the same picture of a face, however encoded.

Embeddings of one crop differ by rounding, some 1e-7. A photo that is compressed anew, or another
one of the same moment, is further away (1e-4 and more), and is an example of its own.
"""


class OfPhoto(Protocol):
    @property
    def image_sha256(self) -> str | None: ...


FaceT = TypeVar("FaceT", bound=OfPhoto)


class Pictures(Generic[FaceT]):
    """The faces of a person, found by their photo, or else by their crop."""

    def __init__(self, faces: Iterable[tuple[FaceT, Embedding | None]] = ()) -> None:
        """A face without an embedding by the collection's embedder is found by its photo alone."""
        self._by_photo: dict[str, FaceT] = {}
        self._with_crop: list[FaceT] = []
        self._vectors: NDArray[np.float64] = np.empty((0, 0))
        for face, embedding in faces:
            self.add(face, embedding)

    def add(self, face: FaceT, embedding: Embedding | None) -> None:
        if face.image_sha256 is not None:
            self._by_photo.setdefault(face.image_sha256, face)
        if embedding is None:
            return
        count = len(self._with_crop)
        if count == len(self._vectors):  # doubled, so that many faces are copied a few times only
            grown = np.empty((max(4, 2 * count), len(embedding)))
            grown[:count] = self._vectors[:count] if count else 0
            self._vectors = grown
        self._vectors[count] = embedding
        self._with_crop.append(face)

    def find(self, image_sha256: str | None, embedding: Embedding | None) -> FaceT | None:
        """The face of the same photo, or the most similar one of the same crop."""
        found = None if image_sha256 is None else self._by_photo.get(image_sha256)
        if found is not None or embedding is None or not self._with_crop:
            return found
        # In double precision: rounding must not decide.
        similarities = self._vectors[: len(self._with_crop)] @ embedding.astype(np.float64)
        best = int(np.argmax(similarities))
        return self._with_crop[best] if similarities[best] >= SAME_CROP else None
