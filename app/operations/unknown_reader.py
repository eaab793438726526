"""Read a group of unknown faces, as far as the caller may know whom they are like."""

from collections.abc import Sequence
from dataclasses import replace

from app.gallery.unknowns.unknown_inbox import Unknowns
from app.gallery.unknowns.unknown_records import UnknownFace, UnknownGroup
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import shown, shown_from


class UnknownReader:
    """Reads groups of the inbox. It blocks."""

    def __init__(self, unknowns: Unknowns, calibrator: Calibrator) -> None:
        self._unknowns = unknowns
        self._calibrator = calibrator

    def get_group(
        self, collection: str, group_id: str
    ) -> tuple[UnknownGroup, Sequence[UnknownFace]]:
        """Return a group with its faces, oldest first.

        Raises CollectionNotFound and UnknownGroupNotFound.
        """
        group, faces = self._unknowns.get_group(collection, group_id)
        least = shown_from(self._calibrator.thresholds(collection))
        return group, [disclosed_face(face, least) for face in faces]


def disclosed_face(face: UnknownFace, least: float | None) -> UnknownFace:
    """Return what may be known of a face by who sees similarities from `least` on; None: all."""
    similarity = None if face.similarity is None else shown(face.similarity, least)
    if face.similarity is not None and similarity is None:
        face = replace(face, nearest_identity_id=None)
    return replace(face, similarity=similarity, shown_from=least)
