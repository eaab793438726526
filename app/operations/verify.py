"""1:1: are these two the same person?"""

from dataclasses import dataclass, field

from app import request_scope
from app.errors import NoUsableImage
from app.gallery.records import Basis, Candidate, Identity
from app.gallery.service import Gallery
from app.operations.calibration import Calibrator
from app.operations.choices import FaceRule, QualityFilter
from app.operations.decisions import threshold_of
from app.operations.single_face import rejection, selection_of
from app.operations.together import together
from app.recognition.pipeline import Recognizer
from app.recognition.types import DetectedFace, EmbeddedFace, ModelId, cosine
from app.threads import reading
from models.evaluation.calibration import ErrorRate


@dataclass(frozen=True, slots=True)
class Verification:
    """`match` says that `similarity` (the cosine) reaches `threshold`.

    `fmr` is the chance that two strangers are at least this similar, None when nobody measured it.
    `faces` are those compared, one an image. Against an enrolled person, `identity`, the id of
    their most similar face and the number of examples compared with are given too. `model` is the
    embedder that was asked.
    """

    match: bool
    similarity: float
    threshold: float
    fmr: ErrorRate | None
    faces: tuple[DetectedFace, ...]
    identity: Identity | None = None
    face_id: str | None = None
    examples: int | None = None
    model: ModelId = field(kw_only=True)


class Verifier:
    def __init__(self, recognizer: Recognizer, gallery: Gallery, calibrator: Calibrator) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._calibrator = calibrator

    async def images(
        self,
        image_a: bytes,
        image_b: bytes,
        *,
        rule: FaceRule,
        threshold: float | None = None,
        target_fmr: float | None = None,
        quality_filter: QualityFilter = QualityFilter.NONE,
    ) -> Verification:
        """Compare two photos. Raises NoUsableImage, ImageUnreadable, ImageTooLarge."""
        rules = self._calibrator.defaults
        limit = rules.for_verify(threshold, target_fmr)
        a, b = await together(
            self._face(image, rule, quality_filter, index=index, name=name)
            for index, (name, image) in enumerate((("image_a", image_a), ("image_b", image_b)))
        )
        similarity = cosine(float(a.embedding @ b.embedding))
        return Verification(
            similarity >= limit,
            similarity,
            limit,
            rules.fmr(similarity),
            (a.face, b.face),
            model=self._gallery.model,
        )

    async def identity(
        self,
        image: bytes,
        collection: str,
        identity_id: str,
        *,
        rule: FaceRule,
        threshold: float | None = None,
        target_fmr: float | None = None,
        quality_filter: QualityFilter = QualityFilter.NONE,
    ) -> Verification:
        """Compare a photo with an enrolled person, by the same rule as identify.

        A threshold of the person's own counts where it is higher. Raises as `images` does,
        CollectionNotFound, IdentityNotFound and EmbedderMismatch.
        """

        def look_beforehand() -> None:
            rules = self._calibrator.thresholds(collection)
            rules.for_verify(threshold, target_fmr)  # raises before anything is looked at
            self._gallery.get_identity(collection, identity_id)

        def compare() -> tuple[Candidate, Basis]:
            request_scope.require_time()
            with request_scope.timed(request_scope.Stage.SEARCH):
                return self._gallery.compare(collection, identity_id, probe)

        await reading(look_beforehand)
        probe = await self._face(image, rule, quality_filter, index=0, name="image")
        found, basis = await reading(compare)
        # As of the comparison: the collection may go over to another embedder at any moment.
        rules = await reading(self._calibrator.resting_on, basis, collection)
        limit = rules.for_verify(threshold, target_fmr, examples=found.examples)
        limit = threshold_of(found, limit)
        return Verification(
            found.similarity >= limit,
            found.similarity,
            limit,
            rules.fmr(found.similarity, examples=found.examples),
            (probe.face,),
            found.identity,
            found.face_id,
            found.examples,
            model=basis.model,
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
        photo = await self._recognizer.embed(image, selection_of(rule))
        refused = rejection(photo, index, quality_filter)
        if refused is not None:
            raise NoUsableImage(f"{name}: {refused.detail}", (refused,))
        return photo.faces[0]
