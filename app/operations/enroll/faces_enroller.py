"""Enroll every face of a photo, each as an anonymous person of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.errors import FieldProblem, InvalidRequest
from app.gallery.gallery import Gallery
from app.gallery.journal.quality_rejections import QualityRejections
from app.gallery.people.faces_of_photos import PlacedFace
from app.gallery.records import Face, Identity, NewIdentity, image_id
from app.gallery.store.idempotency import Once
from app.observe import request_scope
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.enroll.enroller import Enroller
from app.operations.enroll.photo_subject import PassedOverReason
from app.operations.policy.face_rules import QualityFilter
from app.operations.policy.quality_filter import shortcomings
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_faces
from app.recognition.types import (
    DetectedFace,
    EmbeddedFace,
    EmbeddedPhoto,
    FaceQuality,
    ImageSize,
    ModelId,
)
from app.runtime.threads import writing

NOBODY = NewIdentity(anonymous=True)
"""A person of whom nothing is known."""


@dataclass(frozen=True, slots=True)
class FaceOfPhoto:
    """A face of the photo that is in the gallery; `enrolled` is what is kept of it.

    `already_enrolled`: it was there before, from this very photo.
    """

    face: DetectedFace
    quality: FaceQuality
    enrolled: Face
    identity: Identity
    already_enrolled: bool


@dataclass(frozen=True, slots=True)
class LeftOutFace:
    """A face of the photo that was not enrolled.

    `reasons` are codes: those of `errors.Reason`, or `beyond_limit`. `quality` is None where it
    was not measured: of faces beyond the limit of the service. `detail` has the reasons as a text,
    with the remedy; None for `beyond_limit`.
    """

    face: DetectedFace
    quality: FaceQuality | None
    reasons: tuple[str, ...]
    detail: str | None = None

    @property
    def unified(self) -> float | None:
        """The unified quality, 0 to 100."""
        return None if self.quality is None else self.quality.unified


@dataclass(frozen=True, slots=True)
class PhotoEnrollment:
    """What became of each face of a photo, largest first in both lists.

    The photo has `faces_found` faces; `model` is the service's embedder.
    """

    size: ImageSize
    image_sha256: str
    faces_found: int
    faces: tuple[FaceOfPhoto, ...]
    left_out: tuple[LeftOutFace, ...]
    model: ModelId

    @property
    def image_id(self) -> str:
        """A UUID that follows from the photo's bytes."""
        return image_id(self.image_sha256)

    @property
    def new_face_count(self) -> int:
        return sum(not face.already_enrolled for face in self.faces)

    @property
    def left_out_reasons(self) -> tuple[str, ...]:
        return tuple(reason for face in self.left_out for reason in face.reasons)


class FacesEnroller:
    """Enrolls the faces of photos of which it is not known who is on them.

    `max_faces`: most faces of a photo that are embedded.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        enroller: Enroller,
        rejections: QualityRejections,
        *,
        max_faces: int,
    ) -> None:
        self._recognizer = recognizer
        self._gallery = gallery
        self._enroller = enroller
        self._rejections = rejections
        self._max_faces = max_faces

    async def photo(
        self,
        collection: str,
        image: bytes,
        options: EnrollOptions,
        *,
        new: NewIdentity = NOBODY,
        max_faces: int | None = None,
        once: Once[PhotoEnrollment] | None = None,
    ) -> PhotoEnrollment:
        """Enroll every face that is good enough for the filter, each as a person like `new`.

        The guards do not look at them. Of more than `max_faces` good faces, the largest are
        enrolled. A face that was enrolled from the same photo, with the same label, is answered as
        it is. Without a face, the answer is empty. Of the options, `faces` and `force` are of no
        effect. Raises CollectionNotFound, EmbedderMismatch, ImageUnreadable, ImageTooLarge,
        Overloaded; InvalidRequest for a `max_faces` above the server's limit; ConsentRequired,
        RetentionTooLong, and AnsweredBeforeError by `once`.
        """
        self._require_within_limit(max_faces)
        keep_crops = await self._enroller.keeps_crops(collection)
        photo = await self._recognizer.embed(
            image,
            largest_faces(self._max_faces),
            keep_crops=keep_crops,
            detection=options.detection,
        )
        good, left_out = self._sorted(collection, photo, options.quality_filter, max_faces)
        new_faces = [await self._enroller.new_face(photo, face, options) for face in good]
        seen = PhotoEnrollment(
            photo.size, photo.sha256, len(photo.detected), (), left_out, self._gallery.model
        )

        def write() -> PhotoEnrollment:
            request_scope.require_time()  # after this, the change is made
            placed = self._gallery.faces.enroll_each(
                collection, new, new_faces, once=_once(once, seen, good)
            )
            return _with(seen, good, placed)

        if not new_faces and once is None:
            return seen
        return await writing(write)

    def _require_within_limit(self, max_faces: int | None) -> None:
        most = self._max_faces
        if max_faces is not None and max_faces > most:
            problem = f"must be at most {most}, the limit of this service"
            raise InvalidRequest(f"max_faces: {problem}", [FieldProblem("max_faces", problem)])

    def _sorted(
        self,
        collection: str,
        photo: EmbeddedPhoto,
        quality_filter: QualityFilter,
        max_faces: int | None,
    ) -> tuple[list[EmbeddedFace], tuple[LeftOutFace, ...]]:
        """The faces to enroll, and the others; those refused for their quality are noted."""
        good: list[EmbeddedFace] = []
        left_out: list[LeftOutFace] = []
        for face in photo.faces:
            why = shortcomings(face.quality, quality_filter)
            if why:
                self._rejections.note(collection, why.reasons, operation="enroll")
                reasons = tuple(map(str, why.reasons))
                left_out.append(LeftOutFace(face.face, face.quality, reasons, why.detail))
            elif max_faces is not None and len(good) == max_faces:
                left_out.append(LeftOutFace(face.face, face.quality, _BEYOND_LIMIT))
            else:
                good.append(face)
        beyond = photo.detected[len(photo.faces) :]
        left_out += [LeftOutFace(face, None, _BEYOND_LIMIT) for face in beyond]
        return good, tuple(left_out)


_BEYOND_LIMIT = (PassedOverReason.BEYOND_LIMIT.value,)


def _with(
    seen: PhotoEnrollment, good: Sequence[EmbeddedFace], placed: Sequence[PlacedFace]
) -> PhotoEnrollment:
    """The result with what became of the good faces."""
    faces = tuple(
        FaceOfPhoto(face.face, face.quality, one.face, one.identity, not one.is_new)
        for face, one in zip(good, placed, strict=True)
    )
    return replace(seen, faces=faces)


def _once(
    once: Once[PhotoEnrollment] | None, seen: PhotoEnrollment, good: Sequence[EmbeddedFace]
) -> Once[Sequence[PlacedFace]] | None:
    """The same for the result of the gallery: the kept answer is that of the enrolment."""
    if once is None:
        return None
    return Once(once.ticket, lambda placed: once.answer(_with(seen, good, placed)))
