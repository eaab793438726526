"""Faces outlive the way to crops and back, on which only the crops are lost."""

from dataclasses import replace

from sqlalchemy import func, select

from app.gallery.records import CollectionChanges, NewIdentity
from app.gallery.store.database import Database
from app.gallery.store.tables import CropTable
from tests.gallery.factories import COLLECTION, found_ids, new_face, new_gallery, unit_vector
from tests.gallery.migrations.test_upgrade_0002 import migrate, old_rows


def count_crops(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(CropTable)) or 0


def test_faces_outlive_the_way_back_and_forward(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    gallery.collections.update(COLLECTION, CollectionChanges(options={"crops": {"keep": True}}))
    known_then = replace(new_face(unit_vector(1)), image_size=None, image_label=None)
    face = replace(known_then, face_id="a" * 32, sealed_crop=b"sealed")
    identity, (enrolled,) = gallery.people.enroll(COLLECTION, NewIdentity(), [face])
    assert getattr(enrolled, "id", None) == "a" * 32
    assert count_crops(database) == 1
    before = old_rows(database)
    migrate(database, "0007", down=True)
    database.upgrade()
    assert old_rows(database) == before
    assert count_crops(database) == 0
    again = new_gallery(database)
    again.open()
    assert found_ids(again, unit_vector(1)) == [identity.id]
