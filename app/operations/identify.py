"""1:N: who is this, among all enrolled, or nobody?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from app.errors import InvalidRequest
from app.gallery.records import Candidate, Identity
from app.gallery.service import Gallery
from app.operations.thresholds import Thresholds
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_faces
from app.recognition.types import DetectedFace, ImageSize


class Status(StrEnum):
    MATCH = "match"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decision:
    """`candidates` are the most similar people, whatever the threshold, most similar first.

    `identity` is the first of them if their similarity reaches the threshold, else None.
    `similarity` is that of the first candidate, None when nobody is enrolled.
    """

    status: Status
    identity: Identity | None
    similarity: float | None
    threshold: float
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class IdentifiedFace:
    face: DetectedFace
    decision: Decision


@dataclass(frozen=True, slots=True)
class Identification:
    """Every face of a photo, largest first, each with its own decision."""

    size: ImageSize
    faces: tuple[IdentifiedFace, ...]


class Identifier:
    """`max_faces` bounds the faces of one photo that are looked up, largest first."""

    def __init__(
        self, recognizer: Recognizer, gallery: Gallery, thresholds: Thresholds, *, max_faces: int
    ) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._thresholds = thresholds
        self._max_faces = max_faces

    async def photo(
        self,
        collection: str,
        image: bytes,
        *,
        top_k: int,
        threshold: float | None = None,
        max_faces: int | None = None,
    ) -> Identification:
        """Identify the faces of a photo; a photo without a face has an empty answer.

        Raises CollectionNotFound, EmbedderMismatch, ImageUnreadable, ImageTooLarge, Overloaded.
        """
        limit = self._thresholds.for_identify(threshold)
        await asyncio.to_thread(self._gallery.require_collection, collection)
        count = min(max_faces or self._max_faces, self._max_faces)
        photo = await self._recognizer.embed(image, largest_faces(count))
        found = await asyncio.to_thread(
            self._gallery.search, collection, [face.embedding for face in photo.faces], top_k=top_k
        )
        faces = tuple(
            IdentifiedFace(face.face, decide(candidates, limit))
            for face, candidates in zip(photo.faces, found, strict=True)
        )
        return Identification(photo.size, faces)

    async def embedding(
        self,
        collection: str,
        values: Sequence[float],
        *,
        top_k: int,
        threshold: float | None = None,
    ) -> Decision:
        """Identify an embedding that the caller computed with the same network.

        Raises InvalidRequest when it has another dimension, or no length.
        """
        limit = self._thresholds.for_identify(threshold)
        dimension = self._gallery.model.dimension
        vector = np.asarray(values, dtype=np.float64)
        peak = float(np.abs(vector).max()) if vector.size == dimension else 0.0
        if not np.isfinite(peak) or peak == 0.0:
            raise InvalidRequest(
                f"embedding must be {dimension} finite numbers, not all zero, as {_EMBED} answers"
            )
        scaled = vector / peak  # so that no square overflows or vanishes
        probe = np.asarray(scaled / np.linalg.norm(scaled), dtype=np.float32)
        (candidates,) = await asyncio.to_thread(
            self._gallery.search, collection, [probe], top_k=top_k
        )
        return decide(candidates, limit)

    async def enrolled_face(
        self, collection: str, face_id: str, *, top_k: int, threshold: float | None = None
    ) -> Decision:
        """Who else looks like an enrolled face? The face itself does not count.

        Raises FaceNotFound.
        """
        limit = self._thresholds.for_identify(threshold)

        def look() -> tuple[Candidate, ...]:
            probe = self._gallery.embedding_of(collection, face_id)
            (candidates,) = self._gallery.search(
                collection, [probe], top_k=top_k, exclude_face_id=face_id
            )
            return candidates

        return decide(await asyncio.to_thread(look), limit)


_EMBED = "POST /v1/embed"


def decide(candidates: tuple[Candidate, ...], threshold: float) -> Decision:
    """The open-set decision: the nearest person, if near enough."""
    best = candidates[0] if candidates else None
    if best is None or best.similarity < threshold:
        similarity = None if best is None else best.similarity
        return Decision(Status.UNKNOWN, None, similarity, threshold, candidates)
    return Decision(Status.MATCH, best.identity, best.similarity, threshold, candidates)
