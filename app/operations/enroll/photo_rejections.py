"""Photos that should show one person, and what is said when they do not."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.errors import ImageTooLarge, ImageUnreadable, Reason, RejectedImage
from app.recognition.types import DetectedFace, EmbeddedPhoto, ImageSize, Shade

_SHADES: Final[Mapping[Shade, tuple[Reason, str]]] = MappingProxyType(
    {
        Shade.DARK: (
            Reason.LOW_BRIGHTNESS,
            "the picture is too dark: it is black or nearly so all over; use more light",
        ),
        Shade.BRIGHT: (
            Reason.HIGH_BRIGHTNESS,
            "the picture is white or nearly so all over; use less light, or send another file",
        ),
        Shade.UNIFORM: (
            Reason.LOW_CONTRAST,
            "the picture is of one shade all over and shows nothing; send another file",
        ),
    }
)


def _nothing_found(size: ImageSize) -> str:
    """What was looked for, without result."""
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
        image_index,
        (Reason.NO_FACE,),
        _nothing_found(photo.size),
    )


def several_faces(photo: EmbeddedPhoto, image_index: int) -> RejectedImage:
    return RejectedImage(
        image_index,
        (Reason.SEVERAL_FACES,),
        f"{len(photo.detected)} faces were found",
        tuple(seen(face) for face in photo.detected),
    )


def _picture_without_content(size: ImageSize, image_index: int) -> RejectedImage | None:
    """What explains by itself why no face was found: the picture shows nothing, or ends early."""
    if size.shade is not None:
        reason, text = _SHADES[size.shade]
    elif size.rows_decoded is not None:
        reason = Reason.IMAGE_UNREADABLE
        text = (
            f"the file is cut off, and no face is in the {size.rows_decoded} rows that it holds of "
            f"the {size.width} x {size.height} picture; send the whole file"
        )
    else:
        return None
    if size.frames > 1:
        text += f" (picture {size.frame_used + 1} of {size.frames} in the file was looked at)"
    return RejectedImage(image_index, (reason,), text)


def unusable(error: ImageUnreadable | ImageTooLarge, image_index: int) -> RejectedImage:
    """An image in which no face could even be looked for."""
    return RejectedImage(image_index, (Reason(error.code),), str(error), error=error)


def seen(face: DetectedFace) -> tuple[tuple[float, float, float, float], float]:
    return face.box, face.score
