"""Unknown faces outlive the way to their crops and back, on which only the crops are lost."""

from dataclasses import replace

import numpy as np

from app.gallery.store.database import Database
from tests.gallery.factories import COLLECTION, new_gallery
from tests.gallery.migrations.test_upgrade_0002 import migrate
from tests.gallery.unknowns.inboxes import (
    THRESHOLD,
    groups_of,
    new_inbox,
    sighting,
    wants_unknowns,
)


def test_unknown_faces_outlive_the_way_back_and_forward(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    wants_unknowns(gallery, crops=True)
    unknowns = new_inbox(database, gallery)
    seen = sighting(np.eye(8, dtype=np.float32)[0], photo="1" * 64)
    seen = replace(seen, face_id="a" * 32, sealed_crop=b"sealed")
    (group_id,) = unknowns.keep(COLLECTION, [seen], THRESHOLD)
    assert unknowns.sealed_crop(COLLECTION, group_id, "a" * 32) == b"sealed"
    migrate(database, "0009", down=True)
    database.upgrade()
    assert groups_of(unknowns) == {group_id: ["1" * 64]}
    _, (face,) = unknowns.get_group(COLLECTION, group_id)
    assert (face.id, face.has_crop) == ("a" * 32, False)
