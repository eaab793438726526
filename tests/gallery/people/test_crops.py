"""Sealed crops of enrolled faces: kept where the option says so, and bounded when they are read."""

from dataclasses import replace

import pytest

from app.errors import CropNotKept, FaceNotFound
from app.gallery.gallery import Gallery
from app.gallery.records import CollectionChanges, Face, NewFace, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.repositories.crop_repository import MOST_BYTES
from app.gallery.store.tables import CropTable
from tests.gallery.factories import COLLECTION, new_face, unit_vector

CROPPED = "c" * 32


def _keep(gallery: Gallery, *, wanted: bool) -> None:
    gallery.collections.update(COLLECTION, CollectionChanges(options={"crops": {"keep": wanted}}))


def _with_crop(sealed: bytes = b"sealed") -> NewFace:
    return replace(new_face(unit_vector(1)), face_id=CROPPED, sealed_crop=sealed)


def _enroll(gallery: Gallery, *faces: NewFace) -> str:
    identity, _ = gallery.people.enroll(COLLECTION, NewIdentity(), faces)
    return identity.id


def _shown(gallery: Gallery, identity_id: str) -> dict[str, bool]:
    page = gallery.faces.page(COLLECTION, identity_id, limit=10, cursor=None)
    return {face.id: face.has_crop for face in page.items}


def test_listed_faces_show_of_which_a_crop_is_kept(gallery: Gallery) -> None:
    _keep(gallery, wanted=True)
    identity, (first, second) = gallery.people.enroll(
        COLLECTION, NewIdentity(), [_with_crop(), new_face(unit_vector(2))]
    )
    assert isinstance(first, Face)
    assert isinstance(second, Face)
    assert (first.has_crop, second.has_crop) == (True, False)
    assert _shown(gallery, identity.id) == {CROPPED: True, second.id: False}
    assert gallery.faces.sealed_crop(COLLECTION, identity.id, CROPPED) == b"sealed"
    with pytest.raises(CropNotKept, match="enrolled before"):
        gallery.faces.sealed_crop(COLLECTION, identity.id, second.id)
    other = _enroll(gallery, new_face(unit_vector(3)))
    with pytest.raises(FaceNotFound):
        gallery.faces.sealed_crop(COLLECTION, other, CROPPED)
    _keep(gallery, wanted=False)
    assert _shown(gallery, identity.id) == {CROPPED: False, second.id: False}
    with pytest.raises(CropNotKept, match="keeps no crops"):
        gallery.faces.sealed_crop(COLLECTION, identity.id, CROPPED)


def test_crop_that_is_larger_than_any_is_not_read_into_memory(
    gallery: Gallery, database: Database
) -> None:
    _keep(gallery, wanted=True)
    identity_id = _enroll(gallery, _with_crop(bytes(MOST_BYTES)))
    assert len(gallery.faces.sealed_crop(COLLECTION, identity_id, CROPPED)) == MOST_BYTES
    with database.writing() as session:
        session.query(CropTable).one().sealed = bytes(MOST_BYTES + 1)
    assert gallery.faces.sealed_crop(COLLECTION, identity_id, CROPPED) == b""
