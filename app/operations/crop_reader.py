"""Show the crops that are kept of faces."""

import structlog

from app.errors import CropUnreadable
from app.gallery.gallery import Gallery
from app.gallery.journal.actions import Action
from app.gallery.journal.reads import ReadLog
from app.gallery.unknowns.unknown_inbox import Unknowns
from app.operations.enroll.crop_vault import CropSealedOtherwiseError, CropVault

_log = structlog.get_logger(__name__)


class CropReader:
    """Opens kept crops. Each reading leaves a line in the log, and one in the audit log.

    All methods block.
    """

    def __init__(
        self, gallery: Gallery, unknowns: Unknowns, vault: CropVault | None, reads: ReadLog
    ) -> None:
        self._gallery = gallery
        self._unknowns = unknowns
        self._vault = vault
        self._reads = reads

    def of_face(self, collection: str, identity_id: str, face_id: str) -> bytes:
        """The crop of an enrolled face, as a JPEG file.

        Raises CollectionNotFound, IdentityNotFound, FaceNotFound, CropNotKept and CropUnreadable.
        """
        sealed = self._gallery.faces.sealed_crop(collection, identity_id, face_id)
        return self.opened(collection, face_id, sealed)

    def of_unknown_face(self, collection: str, group_id: str, face_id: str) -> bytes:
        """The crop of an unknown face, as a JPEG file.

        Raises CollectionNotFound, UnknownGroupNotFound, UnknownFaceNotFound, UnknownCropNotKept and
        CropUnreadable.
        """
        sealed = self._unknowns.sealed_crop(collection, group_id, face_id)
        return self.opened(collection, face_id, sealed)

    def opened(self, collection: str, face_id: str, sealed: bytes) -> bytes:
        """A crop that was read sealed, as a JPEG file. Raises CropUnreadable."""
        if self._vault is None:
            cause = f"the crop of face {face_id} is encrypted, and this service has no key for it"
            raise self._unreadable(collection, face_id, cause)
        try:
            picture = self._vault.open_jpeg(face_id, sealed)
        except CropSealedOtherwiseError as error:
            cause = f"the crop of face {face_id} was encrypted by another key, or is damaged"
            raise self._unreadable(collection, face_id, cause) from error
        _log.info("crop_read", collection=collection, face=face_id)
        self._reads.note(Action.CROP_READ, collection, always=True, face_id=face_id)
        return picture

    @staticmethod
    def _unreadable(collection: str, face_id: str, cause: str) -> CropUnreadable:
        _log.warning("crop_unreadable", collection=collection, face=face_id, cause=cause)
        return CropUnreadable(cause)
