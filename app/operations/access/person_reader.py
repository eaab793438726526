"""Read what was found of a person, a few faces at a time. It blocks."""

from collections.abc import Iterator
from dataclasses import replace

from app.errors import CropUnreadable
from app.gallery.gallery import Gallery
from app.gallery.journal.audit_log import AuditLog
from app.gallery.journal.chain import Line
from app.gallery.people.person_data import FaceParts
from app.gallery.people.person_data_records import HeldFace, HeldGroup, PersonRecord
from app.gallery.store.repositories.audit_repository import LineFilter
from app.operations.access.findings import Finding
from app.operations.crop_reader import CropReader
from app.operations.policy.calibrator import Calibrator
from app.operations.policy.disclosure import shown_from
from app.operations.unknown_reader import disclosed_face

_FACES_AT_ONCE = 200
_WITH_CROPS_AT_ONCE = 20
"""A sealed crop has up to 300 kB."""


class PersonReader:
    """Reads people and groups of unknown faces by findings. Each part is read when it is asked for,
    so that memory does not grow with the number of faces."""

    def __init__(
        self, gallery: Gallery, calibrator: Calibrator, crops: CropReader, audit: AuditLog
    ) -> None:
        self._data = gallery.person_data
        self._calibrator = calibrator
        self._crops = crops
        self._audit = audit

    def person(self, finding: Finding) -> PersonRecord:
        """Raises CollectionNotFound and IdentityNotFound, if they are gone meanwhile."""
        return self._data.person(finding.collection, finding.id)

    def faces(self, finding: Finding, parts: FaceParts) -> Iterator[HeldFace]:
        """Yield the faces of a person, oldest first."""
        at_once = _WITH_CROPS_AT_ONCE if parts.crops else _FACES_AT_ONCE
        return self._data.faces(finding.collection, finding.id, parts, at_once=at_once)

    def lines(self, finding: Finding) -> Iterator[Line]:
        """Yield the lines of the audit log about a person, newest first."""
        wanted = LineFilter(collection=finding.collection, identity_id=finding.id)
        return self._audit.newest_first(wanted)

    def group(self, finding: Finding, parts: FaceParts) -> HeldGroup:
        """Return a group with its faces, as far as the caller may know whom they are like.

        Raises CollectionNotFound and UnknownGroupNotFound.
        """
        held = self._data.group(finding.collection, finding.id, parts)
        least = shown_from(self._calibrator.thresholds(finding.collection))
        faces = [replace(one, face=disclosed_face(one.face, least)) for one in held.faces]
        return replace(held, faces=faces)

    def crop(self, collection: str, face_id: str, sealed: bytes) -> bytes | None:
        """A crop as a JPEG file; None if the key of this service does not open it."""
        try:
            return self._crops.opened(collection, face_id, sealed)
        except CropUnreadable:  # is in the log
            return None
