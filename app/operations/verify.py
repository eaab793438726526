"""1:1: are these two the same person?"""

import asyncio
from dataclasses import dataclass

from app.errors import NoUsableImage
from app.gallery.records import Identity
from app.gallery.service import Gallery
from app.operations.quality_filter import QualityFilter
from app.operations.single_face import FaceRule, rejection
from app.operations.thresholds import Thresholds
from app.operations.together import together
from app.recognition.pipeline import Recognizer
from app.recognition.types import DetectedFace, EmbeddedFace, cosine


@dataclass(frozen=True, slots=True)
class Verification:
    """`match` says that `similarity` (the cosine) reaches `threshold`.

    `faces` are those compared, one an image. Against an enrolled person, `identity` and the id of
    their most similar face are given too.
    """

    match: bool
    similarity: float
    threshold: float
    faces: tuple[DetectedFace, ...]
    identity: Identity | None = None
    face_id: str | None = None


class Verifier:
    def __init__(self, recognizer: Recognizer, gallery: Gallery, thresholds: Thresholds) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._thresholds = thresholds

    async def images(
        self,
        image_a: bytes,
        image_b: bytes,
        *,
        rule: FaceRule,
        threshold: float | None,
        quality_filter: QualityFilter = QualityFilter.NONE,
    ) -> Verification:
        """Compare two photos. Raises NoUsableImage, ImageUnreadable, ImageTooLarge."""
        limit = self._thresholds.for_verify(threshold)
        a, b = await together(
            self._face(image, rule, quality_filter, index=index, name=name)
            for index, (name, image) in enumerate((("image_a", image_a), ("image_b", image_b)))
        )
        similarity = cosine(float(a.embedding @ b.embedding))
        return Verification(similarity >= limit, similarity, limit, (a.face, b.face))

    async def identity(
        self,
        image: bytes,
        collection: str,
        identity_id: str,
        *,
        rule: FaceRule,
        threshold: float | None,
        quality_filter: QualityFilter = QualityFilter.NONE,
    ) -> Verification:
        """Compare a photo with an enrolled person, by the most similar of their faces.

        Raises as `images` does, CollectionNotFound, IdentityNotFound and EmbedderMismatch.
        """
        limit = self._thresholds.for_verify(threshold)
        await asyncio.to_thread(self._gallery.get_identity, collection, identity_id)
        probe = await self._face(image, rule, quality_filter, index=0, name="image")
        identity, face_id, similarity = await asyncio.to_thread(
            self._gallery.compare, collection, identity_id, probe.embedding
        )
        return Verification(
            similarity >= limit, similarity, limit, (probe.face,), identity, face_id
        )

    async def _face(
        self,
        image: bytes,
        rule: FaceRule,
        quality_filter: QualityFilter,
        *,
        index: int,
        name: str,
    ) -> EmbeddedFace:
        photo = await self._recognizer.embed(image, rule.selection)
        refused = rejection(photo, index, quality_filter)
        if refused is not None:
            raise NoUsableImage(f"{name}: {refused.detail}", (refused,))
        return photo.faces[0]
