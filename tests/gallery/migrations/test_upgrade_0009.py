"""People enrolled before names had one Unicode form are found by either form after the upgrade."""

import unicodedata

from sqlalchemy import text

from app.gallery.records import IdentityFilter
from app.gallery.store.database import Database
from app.gallery.store.tables import CollectionTable, IdentityTable
from tests.gallery.factories import (
    COLLECTION,
    all_identities,
    enroll,
    new_gallery,
    unit_vector,
)
from tests.gallery.migrations.test_upgrade_0002 import migrate

PEOPLE = 1_001
"""More than are read at once."""


def apart(composed: str) -> str:
    return unicodedata.normalize("NFD", composed)


def test_people_of_before_are_found_in_either_form_and_by_prefix(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    identity, _ = enroll(gallery, unit_vector(1))
    migrate(database, "0008", down=True)
    with database.writing() as session:
        connection = session.connection()
        connection.execute(
            text("UPDATE identities SET name = :name, external_id = :key"),
            {"name": apart("Zoë Müller"), "key": apart("zoë")},
        )
        connection.execute(
            text(
                "INSERT INTO identities"
                " (id, collection_number, external_id, name, attributes, created_at, updated_at)"
                " SELECT :id, collection_number, :key, :name, attributes, created_at, updated_at"
                " FROM identities WHERE id = :original"
            ),
            [
                {"id": f"{i:032x}", "key": f"k{i}", "name": "Łu", "original": identity.id}
                for i in range(PEOPLE)
            ],
        )
    migrate(database, "head")
    again = new_gallery(database)
    again.open()
    for key in ("zoë", apart("zoë")):
        assert again.people.get(COLLECTION, f"ext:{key}").id == identity.id
    for wanted in (IdentityFilter(name="Zoë Müller"), IdentityFilter(name_prefix="zoe mu")):
        page = again.people.page(COLLECTION, wanted, limit=9, cursor=None)
        assert [found.id for found in page.items] == [identity.id]
    lu = IdentityFilter(name_prefix="LU")
    assert len(again.people.page(COLLECTION, lu, limit=2_000, cursor=None).items) == PEOPLE
    with database.reading() as session:
        collection = session.query(CollectionTable).one()
        revisions = {row.revision for row in session.query(IdentityTable)}
    assert revisions == {collection.revision}


def test_keys_that_become_the_same_stay_two_keys(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    first, _ = enroll(gallery, unit_vector(1))
    second, _ = enroll(gallery, unit_vector(2))
    migrate(database, "0008", down=True)
    with database.writing() as session:
        connection = session.connection()
        for identity, key in ((first, "é"), (second, apart("é"))):
            connection.execute(
                text("UPDATE identities SET external_id = :key WHERE id = :id"),
                {"key": key, "id": identity.id},
            )
    migrate(database, "head")
    again = new_gallery(database)
    again.open()
    keys = {identity.id: identity.external_id for identity in all_identities(again)}
    assert keys == {first.id: "é", second.id: "é~2"}
