"""A search asks Milvus for what it showed a moment ago, and reads in the log what changed since."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.gallery.gallery import Gallery
from app.gallery.index.protocol import Hits, Vectors
from app.gallery.milvus import milvus_sync
from app.gallery.milvus.milvus_index import MilvusIndex
from app.gallery.records import Condition, PeopleFilter, Searched
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.database import Database
from tests.gallery.conftest import sqlite_only
from tests.gallery.factories import (
    COLLECTION,
    enroll,
    enroll_people,
    found_ids,
    search_people,
    unit_vector,
    unit_vectors,
)
from tests.gallery.milvus.conftest import Clock, OpenOnMilvus

PROBE = unit_vector(1)

Timestamps = list[int | None]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Timestamps:
    """The timestamps that Milvus is asked for in searches, from here on."""
    timestamps: Timestamps = []
    nearest = MilvusIndex._nearest

    def listening(
        self: MilvusIndex, probes: Vectors, count: int, condition: str, timestamp: int | None
    ) -> list[Hits]:
        timestamps.append(timestamp)
        return nearest(self, probes, count, condition, timestamp)

    monkeypatch.setattr(MilvusIndex, "_nearest", listening)
    return timestamps


def searched(gallery: Gallery) -> Searched:
    query = PeopleQuery(3, datetime.now(UTC))
    return gallery.search.find(COLLECTION, [PROBE], query).searched


def settle(galleries: Sequence[Gallery], clock: Clock) -> None:
    for gallery in galleries:
        gallery.sync.follow()
    clock.pass_by(1)


@sqlite_only
def test_changes_that_milvus_has_not_received_are_read_from_the_log(
    open_on_milvus: OpenOnMilvus,
    standalone: str,
    clock: Clock,
    asked: Timestamps,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer, reader = (open_on_milvus(uri=standalone) for _ in range(2))
    gone, stays = enroll_people(writer, [[PROBE], [unit_vector(2)]])
    settle([writer, reader], clock)
    assert set(found_ids(reader, PROBE)) == {gone, stays}
    assert searched(reader) == Searched(people=2, faces=2)

    def cannot(*_: object) -> bool:
        raise RuntimeError("Milvus receives nothing from here on")

    monkeypatch.setattr(milvus_sync.MilvusSync, "_step", cannot)
    new, _ = enroll(writer, PROBE, unit_vector(3))
    writer.people.delete(COLLECTION, gone)
    asked.clear()
    assert found_ids(reader, PROBE) == [new.id, stays]
    assert searched(reader) == Searched(people=2, faces=3)
    nobody = PeopleFilter((Condition("site", ("berlin",)),))
    assert search_people(reader, COLLECTION, [PROBE], top_k=3, wanted=nobody) == [()]
    (timestamp,) = set(asked)
    assert timestamp is not None


@sqlite_only
def test_milvus_receives_the_changes_first_where_the_log_has_much(
    open_on_milvus: OpenOnMilvus,
    standalone: str,
    clock: Clock,
    asked: Timestamps,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery = open_on_milvus(uri=standalone)
    enroll(gallery, PROBE)
    settle([gallery], clock)
    monkeypatch.setattr(milvus_sync, "_MOST_SINCE", 2)
    ids = []
    for vector in unit_vectors(5, seed=4):
        identity, _ = enroll(gallery, vector)
        ids.append(identity.id)
        assert found_ids(gallery, vector)[0] == identity.id
    assert asked == sorted(asked, key=lambda timestamp: timestamp or 0)
    assert len(set(asked)) > 2


@sqlite_only
def test_what_was_uploaded_anew_is_found_at_once(
    open_on_milvus: OpenOnMilvus, standalone: str, clock: Clock
) -> None:
    """Of the collection of before, no mark is used, which the new one has nothing at."""
    writer, reader = (open_on_milvus(uri=standalone) for _ in range(2))
    identity, _ = enroll(writer, PROBE)
    settle([writer, reader], clock)
    assert found_ids(reader, PROBE) == [identity.id]
    with writer.store.reading(COLLECTION) as transaction:
        number = transaction.collection.number
    writer.sync.forget(number)
    writer.sync.follow()
    assert found_ids(reader, PROBE) == [identity.id]


@sqlite_only
def test_position_without_a_moment_is_given_one_at_a_start(
    open_on_milvus: OpenOnMilvus, standalone: str, database: Database, asked: Timestamps
) -> None:
    """It is of a version that noted none."""
    identity, _ = enroll(open_on_milvus(uri=standalone), PROBE)
    with database.writing() as session:
        session.execute(text("UPDATE index_positions SET timestamp = NULL"))
    assert found_ids(open_on_milvus(uri=standalone), PROBE) == [identity.id]
    (timestamp,) = asked
    assert timestamp is not None
