"""Rejections of photos that should show one person and do not."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.errors import ImageTooLarge, ImageUnreadable, Reason, RejectedImage
from app.operations.policy.quality_filter import Shortcomings
from app.recognition.types import DetectedFace, EmbeddedPhoto, ImageSize, Shade

_SHADES: Final[Mapping[Shade, tuple[Reason, str]]] = MappingProxyType(
    {
        Shade.DARK: (
            Reason.LOW_BRIGHTNESS,
            "the picture is too dark: it is black, or nearly black, all over; use more light",
        ),
        Shade.BRIGHT: (
            Reason.HIGH_BRIGHTNESS,
            "the picture is white, or nearly white, all over; use less light, or use another file",
        ),
        Shade.UNIFORM: (
            Reason.LOW_CONTRAST,
            "the picture is of one shade all over and shows nothing; use another file",
        ),
    }
)


def _nothing_found(size: ImageSize) -> str:
    """Describe the search that found no face."""
    searched = f"in {size.width} x {size.height} pixels"
    if min(size.width, size.height) < (size.smallest_face_px or 0):
        return (
            f"no face was looked for {searched}: the photo is smaller than the smallest face that "
            f"is looked for, {size.smallest_face_px} pixels wide and high"
        )
    return (
        f"no face was found {searched}; faces of {size.smallest_face_px} pixels and more were "
        "looked for, in all four directions"
    )


def no_face(photo: EmbeddedPhoto, image_index: int) -> RejectedImage:
    return _picture_without_content(photo.size, image_index) or RejectedImage(
        image_index, (Reason.NO_FACE,), _nothing_found(photo.size)
    )


def bad_face(photo: EmbeddedPhoto, image_index: int, why: Shortcomings) -> RejectedImage:
    """The rejection of a photo none of whose faces is good enough; `why` is that of the largest."""
    return RejectedImage(image_index, why.reasons, why.detail, (seen(photo.faces[0].face),))


def face_shortcomings(image: RejectedImage) -> tuple[Reason, ...]:
    """The reasons of a photo that was rejected for the quality of its face; else none."""
    return image.reasons if image.faces and Reason.SEVERAL_FACES not in image.reasons else ()


def several_faces(photo: EmbeddedPhoto, image_index: int) -> RejectedImage:
    return RejectedImage(
        image_index,
        (Reason.SEVERAL_FACES,),
        f"{len(photo.detected)} faces were found",
        tuple(seen(face) for face in photo.detected),
    )


def _picture_without_content(size: ImageSize, image_index: int) -> RejectedImage | None:
    """The rejection of a picture that shows nothing, or is cut off; None for any other."""
    if size.shade is not None:
        reason, text = _SHADES[size.shade]
    elif size.rows_decoded is not None:
        reason = Reason.IMAGE_UNREADABLE
        text = (
            f"the file is cut off, and no face is in the {size.rows_decoded} rows that it holds of "
            f"the {size.width} x {size.height} picture; use the whole file"
        )
    else:
        return None
    if size.frames > 1:
        text += f" (picture {size.frame_used + 1} of {size.frames} in the file was looked at)"
    return RejectedImage(image_index, (reason,), text)


def unusable(error: ImageUnreadable | ImageTooLarge, image_index: int) -> RejectedImage:
    """The rejection of an image that could not be decoded."""
    return RejectedImage(image_index, (Reason(error.code),), str(error), error=error)


def seen(face: DetectedFace) -> tuple[tuple[float, float, float, float], float]:
    return face.box, face.score
