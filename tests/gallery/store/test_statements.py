"""Searches and lists ask the database little, and what indexes answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event

from app.gallery.gallery import Gallery
from app.gallery.records import CollectionChanges, NewIdentity, Scoring, SearchResult
from app.gallery.search.nearest_people import PeopleQuery
from app.gallery.store.database import Database
from tests.gallery.conftest import sqlite_only
from tests.gallery.factories import COLLECTION, enroll, new_face, new_gallery, unit_vectors

Statement = tuple[str, Any]
"""Its text and its parameters."""


@contextmanager
def sent(database: Database) -> Iterator[list[Statement]]:
    """Grows by every statement but those that begin and end transactions."""
    statements: list[Statement] = []

    def note(_connection: object, _cursor: object, sql: str, values: object, *_: object) -> None:
        if not sql.startswith("BEGIN"):
            statements.append((sql, values))

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def filled(database: Database) -> Gallery:
    gallery = new_gallery(database)
    gallery.open()
    for vector in unit_vectors(30, seed=1):
        enroll(gallery, vector)
    search(gallery)  # counts the people, which it remembers
    return gallery


def search(gallery: Gallery) -> int:
    query = PeopleQuery(10, datetime.now(UTC), scoring=Scoring.TEMPLATE)
    found = gallery.search.find(COLLECTION, list(unit_vectors(1, seed=2)), query)
    return len(found.candidates[0])


def test_search_of_everybody_sends_four_statements(database: Database) -> None:
    """The collection with its calibration; whose the faces are; their examples; the people."""
    gallery = filled(database)

    with sent(database) as statements:
        assert search(gallery) == 10

    assert len(statements) == 4, statements


def test_search_finds_the_same_where_nobody_listens_to_its_statements(database: Database) -> None:
    """SQLite is then sent them past SQLAlchemy."""
    gallery = filled(database)
    expires_at = datetime(2050, 1, 1, tzinfo=UTC)
    ada = NewIdentity(name="Ada", attributes={"team": "a"}, expires_at=expires_at)
    probe = unit_vectors(1, seed=5)
    gallery.people.enroll(COLLECTION, ada, [new_face(probe[0])])

    def found() -> SearchResult:
        query = PeopleQuery(10, datetime(2030, 1, 1, tzinfo=UTC), scoring=Scoring.TEMPLATE)
        return gallery.search.find(COLLECTION, list(probe), query)

    alone = found()
    with sent(database) as statements:
        assert found() == alone

    assert statements
    best = alone.candidates[0][0].identity
    assert (best.name, best.attributes, best.expires_at) == ("Ada", {"team": "a"}, expires_at)


@sqlite_only
def test_search_reads_no_table_from_end_to_end(database: Database) -> None:
    gallery = filled(database)
    with sent(database) as statements:
        search(gallery)

    assert statements
    with database.engine.connect() as connection:
        for sql, values in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
            steps = [row[-1] for row in plan]
            assert not [s for s in steps if s.startswith("SCAN") and "json_each" not in s], steps


def test_list_of_faces_looks_for_crops_once_and_only_where_they_are_kept(
    database: Database,
) -> None:
    gallery = filled(database)
    identity, _ = enroll(gallery, *unit_vectors(9, seed=3))
    looks = []
    for wanted in (False, True):
        changes = CollectionChanges(options={"crops": {"keep": wanted}})
        gallery.collections.update(COLLECTION, changes)
        with sent(database) as statements:
            page = gallery.faces.page(COLLECTION, identity.id, limit=10, cursor=None)
        assert len(page.items) == 9
        looks.append([sql for sql, _ in statements if "crops" in sql])
    assert (len(looks[0]), len(looks[1])) == (0, 1)
    assert "sealed" not in looks[1][0], "no crop itself is read"
