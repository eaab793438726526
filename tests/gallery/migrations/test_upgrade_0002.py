"""People enrolled before filters and expiry came are all there after the upgrade, and filtered."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import JSON, Connection, bindparam, text

from app.gallery.gallery import Gallery
from app.gallery.journal.journal import NoJournal
from app.gallery.people.attribute_texts import filterable
from app.gallery.records import Condition, PeopleFilter
from app.gallery.store.database import Database
from app.gallery.store.tables import AttributeTable, CollectionTable, IdentityTable
from tests.gallery.conftest import Connect
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    assert_agrees,
    enroll,
    found_ids,
    new_gallery,
    search_people,
    unit_vector,
    unit_vectors,
)

ATTRIBUTES: list[dict[str, object]] = [
    {},
    {"site": "berlin", "floor": 4, "active": True, "score": 0.25},
    {"whole": 1.0, "negative": -3, "large": 2**53 - 1, "zero": 0, "no": False},
    {"list": [1], "object": {"a": "b"}, "nothing": None, "text": ""},
    {"long": "x" * 257, "longest": "x" * 256, "k" * 129: "a", "k" * 128: "a"},
    {"unicode": "Zoë 山田 👩🏽‍🚀 \U0010ffff", "ключ": "é", "%_\\": "'; DROP TABLE faces;--"},
]
PEOPLE = 1_001
"""More than are read at once."""

VECTORS = unit_vectors(PEOPLE, seed=1)


def attributes_of(number: int) -> dict[str, object]:
    return {**ATTRIBUTES[number % len(ATTRIBUTES)], "number": number}


def migrate(database: Database, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def insert_people(connection: Connection) -> None:
    """As the version before wrote them: a person a face, each under a revision of their own."""
    now = datetime(2031, 5, 1, tzinfo=UTC)
    connection.execute(
        text(
            "INSERT INTO collections"
            " (number, name, embedder, digest, dimension, revision, created_at)"
            " VALUES (1, :name, :embedder, :digest, :dimension, :revision, :now)"
        ),
        {
            "name": COLLECTION,
            "embedder": MODEL.name,
            "digest": MODEL.digest,
            "dimension": MODEL.dimension,
            "revision": PEOPLE,
            "now": now,
        },
    )
    rows = [
        {
            "number": number,
            "id": f"{number:032x}",
            "external_id": f"e{number}",
            "name": f"n{number}",
            "attributes": attributes_of(number),
            "embedding": VECTORS[number - 1].tobytes(),
            "embedder": MODEL.name,
            "digest": MODEL.digest,
            "sha256": f"{number:064x}",
            "now": now,
        }
        for number in range(1, PEOPLE + 1)
    ]
    for statement in (
        text(
            "INSERT INTO identities (number, id, collection_number, external_id, name, attributes,"
            " created_at, updated_at)"
            " VALUES (:number, :id, 1, :external_id, :name, :attributes, :now, :now)"
        ).bindparams(bindparam("attributes", type_=JSON)),
        text(
            "INSERT INTO faces (number, id, collection_number, identity_number, embedding,"
            " embedder, digest, image_sha256, created_at)"
            " VALUES (:number, :id, 1, :number, :embedding, :embedder, :digest, :sha256, :now)"
        ),
        text(
            "INSERT INTO changes (collection_number, revision, face_number, kind)"
            " VALUES (1, :number, :number, 'add')"
        ),
    ):
        connection.execute(statement, rows)
    if connection.dialect.name == "postgresql":
        for table in ("collections", "identities", "faces"):
            connection.execute(
                text(f"SELECT setval('{table}_number_seq', (SELECT max(number) FROM {table}))")  # noqa: S608
            )


@pytest.fixture
def enrolled_before(connect: Connect) -> Database:
    """A database of the version before with people in it."""
    database = connect()
    migrate(database, "0001")
    journal, database.journal = database.journal, NoJournal()
    with database.writing() as session:
        insert_people(session.connection())
    database.journal = journal
    return database


def assert_everybody_is_there(database: Database) -> Gallery:
    gallery = new_gallery(database)
    gallery.open()
    collection = gallery.collections.get(COLLECTION)
    assert (collection.identity_count, collection.face_count) == (PEOPLE, PEOPLE)
    with database.reading() as session:
        for row in session.query(IdentityTable).order_by(IdentityTable.number):
            assert (row.external_id, row.name) == (f"e{row.number}", f"n{row.number}")
            assert row.attributes == attributes_of(row.number)
            assert row.expires_at is None
    for number in (1, 1_000, PEOPLE):
        (found,) = found_ids(gallery, VECTORS[number - 1], top_k=1)
        assert found == f"{number:032x}"
    return gallery


def kept_attributes(database: Database) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {number: {} for number in range(1, PEOPLE + 1)}
    with database.reading() as session:
        for row in session.query(AttributeTable):
            found[row.identity_number][row.key] = row.value
            assert row.collection_number == 1
            assert row.reversed == (row.value[:1:-1] if row.value.startswith("s:") else None)
    return found


def expected_attributes() -> dict[int, dict[str, str]]:
    return {number: filterable(attributes_of(number)) for number in range(1, PEOPLE + 1)}


def test_upgrade_keeps_everybody_and_lets_them_be_filtered(enrolled_before: Database) -> None:
    enrolled_before.upgrade()
    gallery = assert_everybody_is_there(enrolled_before)
    assert kept_attributes(enrolled_before) == expected_attributes()
    probe = unit_vector(2)
    for condition, matches in WANTED:
        wanted = PeopleFilter((condition,))
        (candidates,) = search_people(gallery, COLLECTION, [probe], top_k=5, wanted=wanted)
        people = {
            f"{number:032x}": {f"{number:032x}": VECTORS[number - 1]}
            for number in range(1, PEOPLE + 1)
            if matches(attributes_of(number))
        }
        assert people
        assert_agrees(candidates, people, probe, top_k=5)


WANTED: list[tuple[Condition, Callable[[dict[str, object]], bool]]] = [
    (Condition("site", ("berlin",)), lambda own: own.get("site") == "berlin"),
    (Condition("whole", (1,)), lambda own: "whole" in own),
    (Condition("number", (7, 1_001)), lambda own: own["number"] in {7, 1_001}),
    (Condition("unicode", suffix="\U0010ffff"), lambda own: "unicode" in own),
    (Condition("no", (False,)), lambda own: "no" in own),
]


def test_upgraded_collection_goes_on(enrolled_before: Database) -> None:
    enrolled_before.upgrade()
    with enrolled_before.reading() as session:
        assert session.query(CollectionTable).one().log_start == 0
    gallery = new_gallery(enrolled_before)
    gallery.open()
    identity, _ = enroll(gallery, unit_vector(2))
    assert found_ids(gallery, unit_vector(2), top_k=1) == [identity.id]
    receipt = gallery.people.delete(COLLECTION, f"{1:032x}")
    assert (receipt.face_count, receipt.revision) == (1, PEOPLE + 2)
    assert gallery.sync.face_count() == PEOPLE


def test_going_back_keeps_everybody_and_forward_again_filters_them(
    enrolled_before: Database,
) -> None:
    before = old_rows(enrolled_before)
    enrolled_before.upgrade()
    migrate(enrolled_before, "0001", down=True)
    assert old_rows(enrolled_before) == before
    enrolled_before.upgrade()
    assert_everybody_is_there(enrolled_before)
    assert kept_attributes(enrolled_before) == expected_attributes()


def old_rows(database: Database) -> dict[str, list[str]]:
    """Everything that the version before knows."""

    def plain(value: object) -> str:
        if isinstance(value, dict):  # as JSON, which keeps no order everywhere
            return json.dumps(value, sort_keys=True)
        return repr(value)

    with database.reading() as session:
        return {
            table: sorted(
                " ".join(map(plain, row))
                for row in session.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
            )
            for table in ("collections", "identities", "faces", "changes")
        }
