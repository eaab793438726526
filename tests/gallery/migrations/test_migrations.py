"""The migrations make exactly the tables that the classes describe, and can be undone."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import delete, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from app.errors import SchemaOutdated, StartupError
from app.gallery.store.database import Database
from app.gallery.store.tables import ChangeTable, CollectionTable, FaceTable, IdentityTable, Table
from tests.gallery.conftest import Connect
from tests.gallery.factories import (
    COLLECTION,
    count_rows,
    enroll,
    found_ids,
    new_gallery,
    unit_vector,
)
from tests.gallery.migrations.upgrade_process import upgrade_together
from tests.kit.forks import FORKS


def downgrade(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def table_names(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_migrations_can_be_undone_and_done_again(database: Database) -> None:
    wanted = {*Table.metadata.tables, "alembic_version"}
    assert table_names(database) == wanted
    enroll_somebody(database)
    downgrade(database)
    assert table_names(database) == {"alembic_version"}
    database.upgrade()
    assert table_names(database) == wanted
    enroll_somebody(database)
    assert count_rows(database)["faces"] == 1


def enroll_somebody(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    enroll(gallery, unit_vector(1))


def test_upgrading_again_keeps_everybody(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    identity, _ = enroll(gallery, unit_vector(1))
    database.upgrade()
    assert found_ids(gallery, unit_vector(1)) == [identity.id]


def test_migrated_tables_are_those_of_the_classes(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "target_metadata": Table.metadata,
                "render_as_batch": database.dialect == "sqlite",
                "compare_type": True,
            },
        )
        assert compare_metadata(context, Table.metadata) == []


def test_migrated_tables_are_those_that_the_classes_would_make(database: Database) -> None:
    migrated = described(database)
    downgrade(database)
    with database.writing() as session:
        Table.metadata.create_all(session.connection())
    assert described(database) == migrated


def described(database: Database) -> dict[str, dict[str, str]]:
    """Everything that the database tells about each table, in no order."""
    with database.engine.connect() as connection:
        inspector = inspect(connection)
        return {
            table: {
                "columns": plain(inspector.get_columns(table)),
                "key": plain([inspector.get_pk_constraint(table)]),
                "references": plain(inspector.get_foreign_keys(table)),
                "unique": plain(inspector.get_unique_constraints(table)),
                "indexes": plain([_as_text(index) for index in inspector.get_indexes(table)]),
            }
            for table in Table.metadata.tables
        }


def _as_text(index: ReflectedIndex) -> dict[str, object]:
    """An index, with its condition as text."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def plain(found: Sequence[object]) -> str:
    return "\n".join(sorted(map(repr, found)))


def test_schema_must_be_that_of_the_newest_migration(connect: Connect) -> None:
    database = connect()
    with pytest.raises(SchemaOutdated, match="this version needs"):
        database.require_current_schema()
    database.upgrade()
    database.require_current_schema()
    downgrade(database)
    with pytest.raises(SchemaOutdated, match="this version needs"):
        database.require_current_schema()


def test_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StartupError, match="9999"):
        database.require_current_schema()
    with pytest.raises(StartupError):
        database.upgrade()


def test_processes_that_start_together_all_upgrade(connect: Connect, database_url: str) -> None:
    all_ready = FORKS.Barrier(3)
    processes = [
        FORKS.Process(target=upgrade_together, args=(database_url, all_ready)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    connect().require_current_schema()


@pytest.mark.parametrize("setting", ["VULTUS_DATA_DIR", "VULTUS_DATABASE_URL"])
def test_alembic_on_its_own_migrates_the_configured_database(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'vultus.db'}"
    monkeypatch.setenv(setting, str(tmp_path) if setting == "VULTUS_DATA_DIR" else url)
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    command.upgrade(config, "head")
    database = Database(url, timeout_s=10)
    database.require_current_schema()
    database.close()


def test_numbers_are_never_used_again(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()

    def newest() -> list[int]:
        with database.reading() as session:
            return [
                session.query(table.number).order_by(table.number.desc()).limit(1).scalar()
                for table in (CollectionTable, IdentityTable, FaceTable)
            ]

    gallery.collections.create("staff", None)
    enroll(gallery, unit_vector(1), collection="staff")
    before = newest()
    gallery.collections.delete("staff")
    gallery.collections.create("staff", None)
    enroll(gallery, unit_vector(1), collection="staff")
    assert all(new > old for new, old in zip(newest(), before, strict=True))


def test_deleting_a_row_deletes_what_hangs_on_it(database: Database) -> None:
    gallery = new_gallery(database)
    gallery.open()
    enroll(gallery, unit_vector(1), unit_vector(2))
    with database.writing() as session:
        session.execute(delete(IdentityTable))
    assert count_rows(database)["faces"] == 0
    with database.writing() as session:
        session.execute(delete(CollectionTable).where(CollectionTable.name == COLLECTION))
        assert session.query(ChangeTable).count() == 0
