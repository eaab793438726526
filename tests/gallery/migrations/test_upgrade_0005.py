"""Faces enrolled before the guards came are there after the upgrade, and after going back."""

from app.gallery.store.database import Database
from tests.gallery.factories import COLLECTION, enroll, found_ids, new_gallery, unit_vector
from tests.gallery.migrations.test_upgrade_0002 import migrate, old_rows


def test_faces_outlive_the_way_back_and_forward(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    identity, _ = enroll(gallery, unit_vector(1), unit_vector(2))
    migrate(database, "0002", down=True)
    before = old_rows(database)
    assert len(before["faces"]) == 2
    database.upgrade()
    again = new_gallery(database)
    again.open()
    assert found_ids(again, unit_vector(1)) == [identity.id]
    faces = again.faces.page(COLLECTION, identity.id, limit=9, cursor=None).items
    assert [face.forced for face in faces] == [False, False]
    migrate(database, "0002", down=True)
    assert old_rows(database) == before
