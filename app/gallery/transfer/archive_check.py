"""Look an archive through, from end to end, before anything of it is believed."""

from hashlib import blake2b

import numpy as np

from app.gallery.transfer.archive_faults import damaged
from app.gallery.transfer.archive_reader import ArchiveReader
from app.gallery.transfer.archived_people import archived_people
from app.gallery.transfer.transfer_progress import Steps

_KEY_BYTES = 16


def check_archive(archive: ArchiveReader, steps: Steps) -> None:
    """Raises ArchiveUnusable unless every collection can be imported as it is."""
    people, faces = _Distinct(), _Distinct()
    for entry in archive.manifest.collections:
        external_ids = _Distinct()
        for person in archived_people(archive, entry):
            people.add(bytes.fromhex(person.line.id))
            for face in person.faces:
                faces.add(bytes.fromhex(face.line.id))
            if person.line.external_id is not None:
                text = person.line.external_id.encode("utf-8")
                external_ids.add(blake2b(text, digest_size=_KEY_BYTES).digest())
            steps.done(1 + len(person.faces))
        external_ids.require(f"an external_id of collection {entry.name}")
    people.require("the id of a person")
    faces.require("the id of a face")


class _Distinct:
    """Keys of 16 bytes, which must all differ; it takes no more memory than these."""

    def __init__(self) -> None:
        self._keys = bytearray()

    def add(self, key: bytes) -> None:
        self._keys += key

    def require(self, what: str) -> None:
        keys = np.sort(np.frombuffer(self._keys, dtype=f"S{_KEY_BYTES}"))
        if (keys[1:] == keys[:-1]).any():
            raise damaged(f"{what} is there twice")
