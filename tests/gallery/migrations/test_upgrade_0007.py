"""Galleries of one embedder outlive the way to two of them, and back."""

import pytest
from sqlalchemy import text

from app.gallery.rollout.rollouts import Rollouts
from app.gallery.search.collection_calibrations import CalibrationStore
from app.gallery.store.database import Database
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    OTHER_MODEL,
    enroll,
    found_ids,
    new_gallery,
    unit_vector,
)
from tests.gallery.migrations.test_upgrade_0002 import migrate, old_rows


def calibrations(database: Database) -> list[dict[str, object]]:
    with database.reading() as session:
        return [dict(row) for row in session.execute(text("SELECT * FROM calibrations")).mappings()]


def test_faces_and_calibrations_outlive_the_way_forward_and_back(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    identity, _ = enroll(gallery, unit_vector(1), unit_vector(2))
    CalibrationStore(database).replace(COLLECTION, {"a": [0.25, "b"]})
    migrate(database, "0006", down=True)
    before = old_rows(database), calibrations(database)
    assert len(before[1]) == 1
    database.upgrade()
    again = new_gallery(database)
    again.open()
    assert found_ids(again, unit_vector(1)) == [identity.id]
    assert CalibrationStore(database).calibration(COLLECTION, MODEL.digest) == {"a": [0.25, "b"]}
    assert Rollouts(database).look(COLLECTION).second is None
    migrate(database, "0006", down=True)
    assert (old_rows(database), calibrations(database)) == before


def test_way_back_leaves_what_serves_and_refuses_to_lose_it(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    identity, _ = enroll(gallery, unit_vector(1))
    reembedding, store = Rollouts(database), CalibrationStore(database)
    store.replace(COLLECTION, {"of": "old"})
    reembedding.begin(COLLECTION, OTHER_MODEL)
    store.replace(COLLECTION, {"of": "new"}, digest=OTHER_MODEL.digest)
    (face,) = reembedding.waiting(COLLECTION, OTHER_MODEL, after=0, limit=9)
    seen_anew = unit_vector(1, dimension=OTHER_MODEL.dimension)
    reembedding.add(COLLECTION, OTHER_MODEL, {face.number: seen_anew})
    reembedding.switch(COLLECTION, is_measured=True)
    with pytest.raises(RuntimeError, match="purge"):
        migrate(database, "0006", down=True)
    reembedding.roll_back(COLLECTION)
    migrate(database, "0006", down=True)
    assert len(calibrations(database)) == 1
    database.upgrade()
    again = new_gallery(database)
    again.open()
    assert found_ids(again, unit_vector(1)) == [identity.id]
    assert store.calibration(COLLECTION, MODEL.digest) == {"of": "old"}
    assert Rollouts(database).look(COLLECTION).second is None
