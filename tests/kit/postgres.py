"""Databases on a PostgreSQL server for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import Connection, create_engine, delete, text

from app.gallery.store.tables import Table


@contextmanager
def new_postgres_database(server_url: str) -> Iterator[str]:
    """Create a database without tables, yield its URL, and drop it."""
    name = f"test_{uuid4().hex}"
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def make_careless(url: str) -> None:
    """Let a server of our own lose data at a power cut, which no test has: it is faster so."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


def empty_postgres(url: str) -> None:
    """Delete all rows and count from 1 again; the schema stays.

    A test leaves few rows. TRUNCATE makes the files of all tables and indexes anew, which takes the
    server 30 times as long.
    """
    with _alone_in(url) as connection:
        for table in reversed(Table.metadata.sorted_tables):
            connection.execute(delete(table))
        connection.execute(
            text(
                "SELECT setval(oid::regclass, 1, false) FROM pg_class"
                " WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
            )
        )


def drop_tables_of_postgres(url: str) -> None:
    with _alone_in(url) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


@contextmanager
def _alone_in(url: str) -> Iterator[Connection]:
    """A connection after all others to this database are ended: theirs could hold locks."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        yield connection
    engine.dispose()
