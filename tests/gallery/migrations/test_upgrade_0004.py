"""Faces enrolled before quality was measured keep everything, and have none."""

from sqlalchemy import text

from app.gallery.store.database import Database
from app.gallery.store.tables import FaceTable
from tests.gallery.conftest import Connect
from tests.gallery.factories import COLLECTION, enroll, found_ids, new_gallery, unit_vector
from tests.gallery.migrations.test_upgrade_0002 import migrate

LATER = "forced", "image_width", "image_height", "image_label"


def columns(database: Database) -> dict[str, object]:
    with database.reading() as session:
        return dict(session.execute(text("SELECT * FROM faces")).mappings().one())


def test_faces_enrolled_before_have_no_quality_and_are_found(connect: Connect) -> None:
    database = connect()
    database.upgrade()
    gallery = new_gallery(database)
    gallery.open()
    identity, _ = enroll(gallery, unit_vector(1))
    gallery.close()

    database = connect()
    before = columns(database)
    assert before.pop("quality") == 62.5
    later = {name: before.pop(name) for name in LATER}  # these go first
    migrate(database, "0004-1", down=True)
    assert columns(database) == before

    migrate(database, "head")
    without = {name: value if name == "forced" else None for name, value in later.items()}
    assert columns(database) == {**before, "quality": None, **without}
    again = new_gallery(database)
    again.open()
    assert found_ids(again, unit_vector(1)) == [identity.id]
    page = again.faces.page(COLLECTION, identity.id, limit=10, cursor=None)
    assert [face.quality for face in page.items] == [None]
    enroll(again, unit_vector(2))
    with database.reading() as session:
        numbers = [row.quality for row in session.query(FaceTable).order_by(FaceTable.number)]
    assert numbers == [None, 62.5]
