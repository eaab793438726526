"""One process at a time brings an index further."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from app.errors import DatabaseUnavailable
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database
from app.gallery.store.repositories.collection_repository import CollectionRepository
from app.gallery.store.repositories.position_repository import Position, PositionRepository
from tests.gallery.conftest import Connect
from tests.gallery.factories import MODEL

STORE = "test"


@pytest.fixture
def number(database: Database) -> int:
    """Of a collection at revision 7, with a position."""
    with database.writing() as session:
        number = CollectionRepository(session).add("staff", None, MODEL, revision=3).number
        session.execute(text("UPDATE collections SET revision = 7"))
        assert PositionRepository(session, STORE).add_if_missing(number)
    return number


@contextmanager
def positions_in(database: Database) -> Iterator[PositionRepository]:
    with database.writing() as session:
        yield PositionRepository(session, STORE)


def collection_in(database: Database, number: int) -> CollectionView:
    with database.reading() as session:
        collection = CollectionRepository(session).find_by_number(number)
    assert collection is not None
    return collection


def test_position_leads_from_an_upload_to_the_revision(database: Database, number: int) -> None:
    collection = collection_in(database, number)
    with positions_in(database) as positions:
        beginning = positions.lock(number)
        assert beginning == Position("", -1, None)
        assert not beginning.leads_to(collection)
        positions.restart(collection)
        assert positions.find(number) == Position(MODEL.digest, 7, 0)
        positions.set_uploaded(number, 40)
        uploading = positions.find(number)
        assert uploading == Position(MODEL.digest, 7, 40)
        assert uploading.leads_to(collection)
        assert not uploading.stands_for(collection)
        positions.end_upload(number)
        uploaded = positions.find(number)
        assert uploaded == Position(MODEL.digest, 7, None)
        assert uploaded.stands_for(collection)
        positions.set_revision(number, 8)
        assert positions.everything() == {number: Position(MODEL.digest, 8, None)}
        assert PositionRepository(positions._session, "other").everything() == {}


@pytest.mark.parametrize(
    ("revision", "leads"), [(2, False), (3, True), (7, True), (8, False)], ids=str
)
def test_log_leads_on_from_where_it_begins_and_not_from_the_future(
    database: Database, number: int, revision: int, leads: bool
) -> None:
    collection = collection_in(database, number)
    position = Position(MODEL.digest, revision, None)
    assert position.leads_to(collection) == leads
    assert position.stands_for(collection) == (revision == 7)
    assert position.stands_for(collection, since=5) == (revision == 7)
    assert position.stands_for(collection, since=3) == leads
    assert not Position("b" * 64, revision, None).leads_to(collection)


def test_position_is_begun_once(database: Database, number: int) -> None:
    with positions_in(database) as positions:
        assert not positions.add_if_missing(number)
        assert not positions.add_if_missing(number + 1)
        assert positions.lock(number + 1) is None


def test_position_is_locked_by_one_process(
    database: Database, number: int, connect: Connect
) -> None:
    other = connect(timeout_s=0.2)
    with positions_in(database) as ours:
        assert ours.lock(number) is not None
        if database.dialect == "sqlite":
            with pytest.raises(DatabaseUnavailable), positions_in(other) as theirs:
                theirs.lock(number)
        else:
            with positions_in(other) as theirs:
                assert theirs.lock(number) is None
            with pytest.raises(DatabaseUnavailable), positions_in(other) as theirs:
                theirs.lock(number, wait=True)
    with positions_in(other) as theirs:
        assert theirs.lock(number) is not None


def test_enrolment_does_not_wait_for_whoever_holds_the_position(
    database: Database, number: int, connect: Connect
) -> None:
    if database.dialect == "sqlite":
        return  # has one writer at a time, whatever it writes
    with positions_in(database) as ours:
        collection = collection_in(database, number)
        ours.lock(number)
        ours.restart(collection)
        with connect(timeout_s=1).writing() as session:
            assert CollectionRepository(session).advance("staff").revision == 8


def test_position_goes_with_its_collection(database: Database, number: int) -> None:
    with database.writing() as session:
        CollectionRepository(session).delete("staff")
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM index_positions")) == 0
        assert PositionRepository(session, STORE).find(number) is None
