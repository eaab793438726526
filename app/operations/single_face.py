"""Photos that should show one person, and what is said when they do not."""

from enum import StrEnum

from app.errors import NoFace, NoUsableImage, RejectedImage, SeveralFaces
from app.recognition.select import Selection, largest_face, only_face
from app.recognition.types import DetectedFace, EmbeddedPhoto


class FaceRule(StrEnum):
    """What to do with a photo of several faces: refuse it, or take the largest."""

    SINGLE = "single"
    LARGEST = "largest"

    @property
    def selection(self) -> Selection:
        return only_face if self is FaceRule.SINGLE else largest_face


def rejection(photo: EmbeddedPhoto, image_index: int) -> RejectedImage | None:
    """Why a photo gives no single face, or None when it does."""
    if photo.faces:
        return None
    count = len(photo.detected)
    if count == 0:
        return RejectedImage(
            image_index,
            (NoFace.code,),
            "no face was found; send a sharp, upright photo with the face at least 40 pixels wide",
        )
    return RejectedImage(
        image_index,
        (SeveralFaces.code,),
        f"{count} faces were found; send a photo of one face, or ask for faces=largest",
        tuple(seen(face) for face in photo.detected),
    )


def seen(face: DetectedFace) -> tuple[tuple[float, float, float, float], float]:
    return face.box, face.score


def error_for(rejected: tuple[RejectedImage, ...], message: str) -> NoUsableImage:
    """One error for rejected images: a specific one when all share their reason."""
    reasons = {reason for image in rejected for reason in image.reasons}
    if len(reasons) == 1:
        (reason,) = reasons
        for kind in NoUsableImage.__subclasses__():
            if kind.code == reason:
                return kind(message, rejected)
    return NoUsableImage(message, rejected)
