"""Connections and transactions, the same for SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import ChangeUnconfirmed, DatabaseUnavailable, SchemaOutdated, StartupError

_WRITES = "vultus_writes"
_WITH_PERSONAL_DATA = (
    "faces",
    "second_embeddings",
    "crops",
    "identities",
    "attributes",
    "terminal_matches",
    "idempotency_keys",
    "unknown_faces",
    "unknown_groups",
)

P = ParamSpec("P")
T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Database:
    """One engine and the two kinds of transaction on it.

    `timeout_s` bounds every wait for a connection or a lock.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Raises StartupError when the URL cannot be used; does not connect yet."""
        self.timeout_s = timeout_s
        try:
            parsed = make_url(url)
            self.dialect = parsed.get_backend_name()
            if self.dialect == "sqlite":
                self.engine = _sqlite_engine(parsed, timeout_s)
            elif self.dialect == "postgresql":
                self.engine = _postgresql_engine(parsed, timeout_s)
            else:
                raise StartupError(
                    f"VULTUS_DATABASE_URL names {self.dialect}; SQLite and PostgreSQL are supported"
                )
        except (ArgumentError, ValueError, ImportError) as error:
            raise StartupError(
                "VULTUS_DATABASE_URL is no database URL that can be used; expected "
                "sqlite:///path or postgresql://user:password@host:5432/database"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the database throughout, and changes nothing."""
        level = None if self.dialect == "sqlite" else "REPEATABLE READ"
        options = {"isolation_level": level} if level else {}
        with _translated(), self.engine.connect().execution_options(**options) as connection:
            with Session(connection) as session:
                yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed when the block ends, and undone when it raises."""
        writes = {_WRITES: True}
        with (
            _translated(changing=True),
            self.engine.connect().execution_options(**writes) as connection,
        ):
            with Session(connection, expire_on_commit=False) as session, session.begin():
                yield session

    def checkpoint(self) -> bool:
        """Empty SQLite's write-ahead log, which holds older states of changed pages.

        False when somebody was reading from it; PostgreSQL has nothing of the kind to do.
        """
        if self.dialect != "sqlite":
            return True
        with _translated(), closing(self.engine.raw_connection()) as connection:
            # On the driver's own connection: SQLAlchemy's would begin a transaction first.
            with closing(connection.cursor()) as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy = cursor.fetchall()[0][0]
        return not busy

    def compact(self) -> bool:
        """Overwrite what the database's files still hold of deleted rows, as far as they allow.

        False when readers were in the way for as long as `timeout_s`.
        """
        if self.dialect == "sqlite":
            return self.checkpoint()
        with _translated(), self.engine.connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in _WITH_PERSONAL_DATA:
                plain.exec_driver_sql(f"VACUUM {table}")
        return True

    def check(self) -> None:
        """Ask for one row. Raises DatabaseUnavailable when there is no answer."""
        with _translated(), self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def upgrade(self) -> None:
        """Bring the schema to the newest migration. Raises StartupError when it cannot."""
        with _opening(), _alembic_config() as config, self.engine.connect() as plain:
            writes = {_WRITES: True}
            config.attributes["connection"] = plain.execution_options(**writes)
            command.upgrade(config, "head")

    def require_current_schema(self) -> None:
        """Raise StartupError unless the schema is that of the newest migration."""
        with _opening(), _alembic_config() as config, self.engine.connect() as connection:
            head = ScriptDirectory.from_config(config).get_current_head()
            current = MigrationContext.configure(connection).get_current_revision()
        if current != head:
            raise SchemaOutdated(
                f"the database is at migration {current}, this version needs {head}"
            )

    def close(self) -> None:
        self.engine.dispose()


def read_again(read: Callable[P, T]) -> Callable[P, T]:
    """Try what only reads once more when the connection broke under it.

    A server that was restarted has closed the connections of the pool. Changes are not repeated:
    nobody knows whether a commit that was not confirmed was made.
    """

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except DatabaseUnavailable as error:
            cause = error.__cause__
            if not (isinstance(cause, DBAPIError) and cause.connection_invalidated):
                raise
        _log.info("reading_again", what=read.__name__)
        return read(*args, **kwargs)

    return reading


def _sqlite_engine(url: URL, timeout_s: float) -> Engine:
    if not url.database or ":memory:" in url.database or url.query.get("mode") == "memory":
        raise StartupError(
            "an in-memory SQLite database forgets everybody at a restart; VULTUS_DATABASE_URL must "
            "name a file"
        )
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartupError(
            f"cannot make the folder {folder} ({error.strerror}); check VULTUS_DATA_DIR"
        ) from error
    engine = create_engine(
        url,
        pool_timeout=timeout_s,
        hide_parameters=True,  # else an error's text, and with it the log, holds embeddings
        connect_args={"timeout": timeout_s},
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql_engine(url: URL, timeout_s: float) -> Engine:
    return create_engine(
        url,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=postgresql_arguments(timeout_s),
    )


def postgresql_arguments(timeout_s: float) -> dict[str, int | str]:
    """What every connection is opened with, beside what the URL says."""
    return {
        "connect_timeout": max(1, int(timeout_s)),
        "options": f"-c lock_timeout={int(timeout_s * 1000)}",
        # A server that is cut off is noticed within the timeout, not after hours.
        "tcp_user_timeout": int(timeout_s * 1000),
        "keepalives_idle": max(1, int(timeout_s / 2)),
        "keepalives_interval": max(1, int(timeout_s / 6)),
        "keepalives_count": 3,
    }


@contextmanager
def _translated(*, changing: bool = False) -> Iterator[None]:
    """Say that the database is away, locked or full; the cause names hosts and is only logged."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        _log.error("database_unavailable", cause=str(getattr(error, "orig", None) or error))
        if changing:
            raise ChangeUnconfirmed("the database did not confirm the change") from error
        raise DatabaseUnavailable("the database does not answer") from error


@contextmanager
def _opening() -> Iterator[None]:
    """Turn what fails at the start into a StartupError."""
    try:
        yield
    except DBAPIError as error:
        raise StartupError(
            f"cannot open or migrate the database ({error.orig}); check VULTUS_DATABASE_URL and "
            "VULTUS_DATA_DIR"
        ) from error
    except CommandError as error:
        raise StartupError(
            f"the database was made by another version of Vultus ({error}); install that version"
        ) from error


@contextmanager
def _alembic_config() -> Iterator[Config]:
    with as_file(files("migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        yield config


def _configure_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own implicit BEGIN is deferred; _begin_sqlite says which one is meant.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        # FULL, not WAL's usual NORMAL: an acknowledged enrolment survives a power cut too.
        "synchronous=FULL",
        "foreign_keys=ON",
        # Deleted embeddings are overwritten with zeros, not just unlinked.
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads and then writes may fail at once with SQLITE_BUSY, however
    # long the timeout: another writer has moved on in between. Writers queue from the start.
    if connection.get_execution_options().get(_WRITES, False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    # Past SQLAlchemy, which takes ten times as long; it waits for nobody, so nothing can go wrong.
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")
