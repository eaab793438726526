"""How far the indexes of a process are behind the database, without bringing them further."""

from app.gallery.sync.index_sync import lag_of
from tests.gallery.conftest import OpenGallery
from tests.gallery.factories import enroll, unit_vectors


def test_indexes_are_behind_by_what_others_committed(open_gallery: OpenGallery) -> None:
    reader, writer = open_gallery(), open_gallery()
    assert (reader.sync.lag().collection_count, reader.sync.lag().revisions_behind) == (
        1,
        0,
    )
    for seed in range(3):
        enroll(writer, *unit_vectors(2, seed=seed))
    assert writer.sync.lag().revisions_behind == 0
    assert reader.sync.lag().revisions_behind == 3
    assert reader.sync.lag().revisions_behind == 3, "a look must not bring it further"
    writer.collections.create("staff", None)
    enroll(writer, *unit_vectors(1, seed=9), collection="staff")
    assert (reader.sync.lag().collection_count, reader.sync.lag().revisions_behind) == (
        2,
        4,
    )
    reader.sync.follow()
    assert reader.sync.lag().revisions_behind == 0
    writer.collections.delete("staff")
    assert (reader.sync.lag().collection_count, reader.sync.lag().revisions_behind) == (
        1,
        0,
    )


def test_database_set_back_to_a_backup_is_not_ahead() -> None:
    lag = lag_of({1: 5, 2: 7, 3: 1}, {1: 9, 2: 4, 8: 3})
    assert (lag.collection_count, lag.revisions_behind) == (3, 4)
