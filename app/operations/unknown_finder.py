"""Find the unknown faces of somebody by a photo, as they are asked for who may be in the inbox."""

from dataclasses import dataclass, replace

from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import AlikeGroups
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import shown, shown_from
from app.operations.unknowns import seen_in_photo
from app.recognition.pipeline import Recognizer
from app.recognition.select import largest_faces
from app.recognition.types import DetectedFace, ImageSize
from app.runtime.threads import reading


@dataclass(frozen=True, slots=True)
class FaceAmongUnknowns:
    face: DetectedFace
    alike: AlikeGroups
    shown_from: float | None
    """Groups that are less alike are left out; see `disclosure`."""


@dataclass(frozen=True, slots=True)
class PhotoAmongUnknowns:
    """The largest faces of a photo, largest first. The photo has `faces_found` faces."""

    size: ImageSize
    faces_found: int
    faces: tuple[FaceAmongUnknowns, ...]


class UnknownFinder:
    """Finds the groups of an inbox that are most like the faces of a photo. Nothing is kept."""

    def __init__(self, recognizer: Recognizer, unknowns: Unknowns, calibrator: Calibrator) -> None:
        self._recognizer = recognizer
        self._unknowns = unknowns
        self._calibrator = calibrator

    async def photo(
        self, collection: str, image: bytes, *, top_k: int, max_faces: int
    ) -> PhotoAmongUnknowns:
        """Raises CollectionNotFound, EmbedderMismatch, ImageUnreadable, ImageTooLarge,
        Overloaded."""
        # Before the photo is recognised: of a collection that is not there, this raises.
        await reading(self._unknowns.most_alike, collection, (), top_k)
        photo = await self._recognizer.embed(image, largest_faces(max_faces))
        found = await reading(self._unknowns.most_alike, collection, seen_in_photo(photo), top_k)
        least = shown_from(await reading(self._calibrator.thresholds, collection))
        faces = tuple(
            FaceAmongUnknowns(face.face, _disclosed(alike, least), least)
            for face, alike in zip(photo.faces, found, strict=True)
        )
        return PhotoAmongUnknowns(photo.size, len(photo.detected), faces)


def _disclosed(alike: AlikeGroups, least: float | None) -> AlikeGroups:
    values = [shown(group.similarity, least, alike.threshold) for group in alike.groups]
    groups = tuple(
        replace(group, similarity=value)
        for group, value in zip(alike.groups, values, strict=True)
        if value is not None
    )
    return replace(alike, groups=groups)
