"""Connections and transactions, the same for SQLite and PostgreSQL."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import structlog
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.constants import CONSTANTS
from app.errors import (
    DatabaseDamaged,
    DatabaseLocked,
    DatabaseMissing,
    DatabaseReadOnly,
    DatabaseUnavailable,
    DiskFull,
    SchemaOutdated,
    StartupError,
    Stopping,
)
from app.gallery.journal.journal import NoJournal, WritesNotes
from app.gallery.store.database_errors import meaning
from app.gallery.store.postgresql import GivesUp, postgresql_arguments
from app.gallery.store.postgresql_rewriting import LARGE_BYTES, rewrite
from app.gallery.store.postgresql_wal import empty_wal, wal_facts, wal_remains
from app.gallery.store.remains import BACKUPS, Remains, Where
from app.gallery.store.schema import migration_of, newest_migration, upgrade
from app.gallery.store.sqlite_connection import configure_sqlite
from app.gallery.store.storage import DiskReserve, Storage
from app.gallery.store.tables import Table
from app.gallery.store.write_turns import WriteTurns
from app.gallery.vault.vault import IN_SESSION, Vault
from app.runtime.threads import MOST_AT_ONCE

if TYPE_CHECKING:
    from app.gallery.store.watched_connection import WatchedConnection

_WRITES = "vultus_writes"
_WRITES_UNTIL = "vultus_writes_until"
_LOCK_LOOK_MS = 50
_CONNECTIONS = MOST_AT_ONCE + 15
"""Most connections of a process: one for each call that blocks, and for the threads that follow the
log, sweep, check and deliver, so that none waits for a connection."""
_WITHOUT_PERSONAL_DATA = {
    "api_keys",
    "audit_heads",
    "audit_lines",
    "calibrations",
    "changes",
    "collections",
    "event_heads",
    "events",
    "index_positions",
    "trusted_clock",
}
"""A table that is not named here is rewritten by `compact`."""
_WAL_WITHIN_S = 30.0

P = ParamSpec("P")
T = TypeVar("T")

_patience_s: ContextVar[float] = ContextVar("patience_s", default=float("inf"))

_log = structlog.get_logger(__name__)


class Database:
    """One engine and the two kinds of transaction on it.

    `timeout_s` bounds every wait for a connection or a lock.
    """

    def __init__(self, url: str, *, timeout_s: float, reserve_bytes: int = 0) -> None:
        """Keep `reserve_bytes` of SQLite's disk for erasures, once `storage` is prepared.

        Raises StartupError when the URL cannot be used; does not connect yet.
        """
        self.timeout_s = timeout_s
        self.gives_up: GivesUp = lambda _: False
        """Returns whether a wait of so many seconds for PostgreSQL ends; see `postgresql`."""
        self.journal: WritesNotes = NoJournal()
        """What becomes of the changes that transactions note."""
        self.vault = Vault(self)
        """The keys by which rows are sealed."""
        self._turns = WriteTurns()
        try:
            parsed = make_url(url)
            self.dialect = parsed.get_backend_name()
            self.file: Path | None = None
            """SQLite's."""
            self._file_id: tuple[int, int] | None = None
            self._page_check: sqlite3.Connection | None = None
            if self.dialect == "sqlite":
                self.engine = _sqlite_engine(parsed, timeout_s)
                self.file = Path(str(parsed.database)).absolute()
                event.listen(self.engine, "do_connect", self._require_same_file)
                event.listen(self.engine, "connect", self._note_file)
                event.listen(self.engine, "begin", self._begin_sqlite)
            elif self.dialect == "postgresql":
                self.engine = _postgresql_engine(parsed, timeout_s)
                event.listen(self.engine, "do_connect", self._connect_postgresql)
            else:
                raise StartupError(
                    f"VULTUS_DATABASE_URL names {self.dialect}; SQLite and PostgreSQL are supported"
                )
        except (ArgumentError, ValueError, ImportError) as error:
            raise StartupError(
                "VULTUS_DATABASE_URL is no database URL that can be used; expected "
                "sqlite:///path or postgresql://user:password@host:5432/database"
            ) from error
        folder = None if self.file is None else self.file.parent
        reserve = DiskReserve(folder, reserve_bytes) if folder and reserve_bytes else None
        self.storage = Storage(reserve, folder)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one state of the database throughout, and changes nothing."""
        level = None if self.dialect == "sqlite" else "REPEATABLE READ"
        options = {"isolation_level": level} if level else {}
        with self._translated(), self._connection(**options) as connection:
            with _ReadingSession(connection, self.vault) as session:
                yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed when the block ends, and undone when it raises.

        Raises DatabaseLocked when another one holds the lock for as long as this one may wait, and
        Stopping.
        """
        wait_s = min(self.timeout_s, _patience_s.get())
        until = monotonic() + wait_s
        self.storage.require_writable()
        with (
            self._translated(changing=True),
            self._turn(until),
            self._connection(**{_WRITES: True, _WRITES_UNTIL: until}) as connection,
        ):
            info = {IN_SESSION: self.vault}
            made = Session(connection, expire_on_commit=False, info=info)
            began = monotonic()
            with made as session, session.begin():
                if self.dialect == "postgresql" and wait_s < self.timeout_s:
                    session.execute(text(f"SET LOCAL lock_timeout = {int(wait_s * 1000)}"))
                yield session
        self.storage.written(began)

    def stop_waiting(self) -> None:
        """Refuse the writers that wait for a lock, and those who come, with Stopping."""
        self._turns.stop()

    def checkpoint(self) -> bool:
        """Empty SQLite's write-ahead log, which holds older states of changed pages.

        False when a reader was in the way; PostgreSQL has nothing of the kind to do.
        """
        if self.dialect != "sqlite":
            return True
        with self._translated(), closing(self.engine.raw_connection()) as connection:
            # On the driver's own connection: SQLAlchemy's would begin a transaction first.
            with closing(connection.cursor()) as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                busy = cursor.fetchall()[0][0]
        return not busy

    def make_room(self) -> bool:
        """Give back the reserve, and what SQLite's log takes; whether there is more room now."""
        given = self.storage.give_back_reserve()
        try:
            emptied = self.dialect == "sqlite" and self.checkpoint()
        except DiskFull:
            return given
        return given or emptied

    def remains(self) -> tuple[Remains, ...]:
        """Return what the database's files may hold of what was deleted a moment ago."""
        if self.dialect == "sqlite":
            by = datetime.now(UTC) + timedelta(seconds=CONSTANTS.sweep_every_s)
            return Remains(Where.SQLITE_LOG, by), BACKUPS
        with self._translated(), self.engine.connect() as connection:
            facts = wal_facts(connection)
        return Remains(Where.DEAD_ROWS), wal_remains(), *facts.copies(), BACKUPS

    def compact(self, *, most_bytes: int | None = LARGE_BYTES) -> tuple[Remains, ...]:
        """Rewrite what the database's files hold of deleted rows; return what remains of it.

        SQLite overwrites deleted rows by itself, and its log is emptied here, unless readers are in
        the way for as long as `timeout_s`, or the disk is full. Of PostgreSQL, tables of more than
        `most_bytes` are left as they are (None: none is), as others wait meanwhile; and its log can
        be emptied by some servers alone, see `postgresql_wal`.
        """
        if self.dialect == "sqlite":
            try:
                is_empty = self.checkpoint()
            except DiskFull:  # what was to be erased is erased; only older states of it are left
                is_empty = self.make_room()
            return (BACKUPS,) if is_empty else (Remains(Where.SQLITE_LOG), BACKUPS)
        with self._translated(), self.engine.connect() as connection:
            plain = connection.execution_options(isolation_level="AUTOCOMMIT")
            left = rewrite(
                plain, _tables_to_rewrite(), most_bytes=most_bytes, within_s=self.timeout_s
            )
            facts = wal_facts(plain)
            log = empty_wal(plain, facts, within_s=_WAL_WITHIN_S)
        rows = [Remains(Where.DEAD_ROWS, detail=", ".join(left))] if left else []
        return *rows, *log, *facts.copies(), BACKUPS

    def check_pages(self) -> bool:
        """Read every page of SQLite's file, and look whether they fit; False when they do not.

        May take minutes for gigabytes, on a connection of its own; `interrupt_check` ends it,
        and the answer is then True, since nothing was found. PostgreSQL has checksums of its own
        pages.
        """
        if self.dialect != "sqlite":
            return True
        began = monotonic()
        try:
            with self._translated(), closing(self.engine.raw_connection()) as connection:
                driver: Any = connection.driver_connection
                self._page_check = driver
                try:
                    found = driver.execute("PRAGMA quick_check(1)").fetchone()[0]
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                        raise
                    return True  # the service stops, which is no fault of the database
        except DatabaseDamaged:
            return False
        finally:
            self._page_check = None
        if found == "ok":
            self.storage.found_whole(began)
            return True
        _log.error("database_damaged", cause=found)
        self.storage.failed(DatabaseDamaged())
        return False

    def interrupt_check(self) -> None:
        """End a check of all pages that runs."""
        running = self._page_check
        if running is not None:
            running.interrupt()

    def check(self) -> None:
        """Read one row. Raises DatabaseUnavailable when there is no answer, or a wrong one."""
        self._require_same_file()
        with self._translated(), self._connection() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version")).all()

    def upgrade(self) -> None:
        """Bring the schema to the newest migration. Raises StartupError when it cannot."""
        with self.opening():
            with self.engine.connect() as connection:
                if migration_of(connection) == newest_migration():
                    return
            with self.engine.connect() as plain:
                upgrade(plain.execution_options(**{_WRITES: True}))

    def require_current_schema(self) -> None:
        """Raise StartupError unless the schema is that of the newest migration."""
        with self.opening(), self.engine.connect() as connection:
            current = migration_of(connection)
        if current != newest_migration():
            raise SchemaOutdated(
                f"the database is at migration {current}, this version needs {newest_migration()}"
            )

    def close(self) -> None:
        self.engine.dispose()
        self._file_id = None  # opened again, it may be another one

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Turn what fails at the start into a StartupError."""
        try:
            yield
        except DBAPIError as error:
            found = meaning(error, changing=False, file=self.file)
            is_other = getattr(error.orig, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB
            if isinstance(found, DatabaseDamaged) and not is_other:
                self.storage.failed(found)
                raise found from error  # the caller decides whether to go on
            if isinstance(found, DatabaseLocked | DiskFull | DatabaseReadOnly):
                raise StartupError(f"cannot open or migrate the database: {found}") from error
            raise StartupError(
                f"cannot open or migrate the database ({error.orig}); check VULTUS_DATABASE_URL "
                "and VULTUS_DATA_DIR"
            ) from error

    def _connection(self, **options: Any) -> Connection:  # noqa: ANN401  (SQLAlchemy's own)
        if self.gives_up(float("inf")):
            raise DatabaseUnavailable("the database does not answer")
        connection = self.engine.connect()
        return connection.execution_options(**options) if options else connection

    @contextmanager
    def _turn(self, until: float) -> Iterator[None]:
        if self.dialect != "sqlite":  # which locks rows, and has a queue of its own
            yield
            return
        with self._turns.turn(until):
            yield

    @contextmanager
    def _translated(self, *, changing: bool = False) -> Iterator[None]:
        """Raise what is wrong with the database; the cause names hosts and is only logged."""
        try:
            yield
        except DatabaseUnavailable as error:
            _log.warning(error.code, cause=str(error))
            self.storage.failed(error)
            raise
        except (DBAPIError, PoolTimeout, sqlite3.Error) as error:  # the last of raw connections
            found = meaning(error, changing=changing, file=self.file)
            if found is None:
                raise
            _log.error(found.code, cause=str(getattr(error, "orig", None) or error))
            self.storage.failed(found)
            raise found from error

    def _begin_sqlite(self, connection: Connection) -> None:
        # A deferred transaction that reads and then writes may fail at once with SQLITE_BUSY,
        # however long the timeout: another writer has moved on in between. Writers wait at the
        # start. Past SQLAlchemy, which takes ten times as long.
        driver: Any = connection.connection.driver_connection
        options = connection.get_execution_options()
        if not options.get(_WRITES, False):
            driver.execute("BEGIN")  # it waits for nothing, so nothing can go wrong
            return
        self._require_same_file()
        until = options.get(_WRITES_UNTIL, monotonic() + self.timeout_s)
        driver.execute(f"PRAGMA busy_timeout = {_LOCK_LOOK_MS}")
        try:
            while not self._holds_lock(driver, connection):
                # In pieces, so that a service that stops does not wait for all of it.
                if self._turns.stopping:
                    raise Stopping
                if monotonic() >= until:
                    raise DatabaseLocked
        finally:
            driver.execute(f"PRAGMA busy_timeout = {int(self.timeout_s * 1000)}")

    def _note_file(self, *_: object) -> None:
        if self.file is not None and self._file_id is None:
            self._file_id = _file_id(self.file)

    def _require_same_file(self, *_: object) -> None:
        """Raise DatabaseMissing when the file was removed or replaced since it was opened.

        What is written then would be lost, and a connection that is opened anew would create an
        empty database.
        """
        if self.file is not None and self._file_id not in (None, _file_id(self.file)):
            raise DatabaseMissing

    @staticmethod
    def _holds_lock(driver: Any, connection: Connection) -> bool:  # noqa: ANN401  (sqlite3's)
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY:
                return False
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # SQLAlchemy translates what it raises
        return True

    def _gives_up(self, waited_s: float) -> bool:
        return self.gives_up(waited_s)  # as it is by then

    def _connect_postgresql(
        self,
        _dialect: Dialect,
        _record: ConnectionPoolEntry | None,
        arguments: list[Any],
        options: dict[str, Any],
    ) -> "WatchedConnection":
        # Imported here, as a service on SQLite needs no driver of PostgreSQL.
        from app.gallery.store.watched_connection import WatchedConnection  # noqa: PLC0415

        connection = WatchedConnection.connect(*arguments, **options)
        connection.gives_up = self._gives_up
        return connection


class _ReadingSession(Session):
    """A session of one connection, which `connection` returns at once.

    A session else notes for each statement that takes part in its transaction, which takes longer
    than most statements of a search.
    """

    def __init__(self, connection: Connection, vault: Vault) -> None:
        super().__init__(connection, info={IN_SESSION: vault})
        self._only = connection

    def connection(self, *_: object, **__: object) -> Connection:
        if not self._only.in_transaction():
            self._only.begin()
        return self._only


def _tables_to_rewrite() -> tuple[str, ...]:
    """Tables with personal data. Those of keys come first: they are small, and what they hold of an
    erased person opens all else that remains."""
    names = Table.metadata.tables.keys() - _WITHOUT_PERSONAL_DATA
    return tuple(sorted(names, key=lambda name: (not name.endswith("_keys"), name)))


@contextmanager
def waiting_briefly(seconds: float) -> Iterator[None]:
    """Have the writers of the block wait so long for a lock, if the settings allow no less."""
    token = _patience_s.set(seconds)
    try:
        yield
    finally:
        _patience_s.reset(token)


def read_again(read: Callable[P, T]) -> Callable[P, T]:
    """Try what only reads once more when the connection broke under it.

    A server that was restarted has closed the connections of the pool. Changes are not repeated:
    whether a commit that was not confirmed was made is unknown.
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
            "an in-memory SQLite database is empty after a restart; VULTUS_DATABASE_URL must "
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
        max_overflow=_CONNECTIONS - 5,  # beside the five that the pool keeps
        hide_parameters=True,  # else an error's text, and with it the log, holds embeddings
        connect_args={"timeout": timeout_s},
    )
    event.listen(engine, "connect", configure_sqlite)
    return engine


def _postgresql_engine(url: URL, timeout_s: float) -> Engine:
    return create_engine(
        url,
        pool_timeout=timeout_s,
        max_overflow=_CONNECTIONS - 5,  # beside the five that the pool keeps
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=postgresql_arguments(timeout_s),
    )


def _file_id(file: Path) -> tuple[int, int] | None:
    """Device and inode; None when there is no such file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
