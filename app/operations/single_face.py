"""Photos that should show one person, and what is said when they do not."""

from enum import StrEnum

from app.errors import ImageTooLarge, ImageUnreadable, Reason, RejectedImage
from app.operations.quality_filter import QualityFilter, shortcomings
from app.recognition.select import Selection, largest_face, only_face
from app.recognition.types import DetectedFace, EmbeddedPhoto


class FaceRule(StrEnum):
    """What to do with a photo of several faces: refuse it, or take the largest."""

    SINGLE = "single"
    LARGEST = "largest"

    @property
    def selection(self) -> Selection:
        return only_face if self is FaceRule.SINGLE else largest_face


def rejection(
    photo: EmbeddedPhoto, image_index: int, quality_filter: QualityFilter
) -> RejectedImage | None:
    """Why a photo gives no single face that is good enough, or None when it does."""
    if photo.faces:
        (embedded,) = photo.faces
        lacking = shortcomings(embedded.quality, quality_filter)
        if not lacking:
            return None
        return RejectedImage(image_index, lacking.reasons, lacking.detail, (seen(embedded.face),))
    count = len(photo.detected)
    if count == 0:
        return RejectedImage(
            image_index,
            (Reason.NO_FACE,),
            "no face was found",
        )
    return RejectedImage(
        image_index,
        (Reason.SEVERAL_FACES,),
        f"{count} faces were found",
        tuple(seen(face) for face in photo.detected),
    )


def unusable(error: ImageUnreadable | ImageTooLarge, image_index: int) -> RejectedImage:
    """An image in which no face could even be looked for."""
    return RejectedImage(image_index, (Reason(error.code),), str(error))


def seen(face: DetectedFace) -> tuple[tuple[float, float, float, float], float]:
    return face.box, face.score
