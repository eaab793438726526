"""Detect in PostgreSQL that another process has committed a change."""

from contextlib import suppress
from threading import Event

import psycopg
import structlog

from app.gallery.store.database import Database
from app.gallery.store.postgresql import postgresql_arguments
from app.gallery.store.quiet import Quiet
from app.gallery.store.repositories.announcement import CHANNEL

_LOOK_UP_S = 0.25
_LISTEN_AGAIN_S = 0.5

_log = structlog.get_logger(__name__)


class PostgresqlSignal:
    """LISTEN for what every change of a collection or key NOTIFYs when it is committed.

    Those sent while the connection was broken are lost.
    """

    def __init__(self, database: Database, stopped: Event) -> None:
        self._database = database
        self._stopped = stopped
        self._connection: psycopg.Connection | None = None
        self._quiet = Quiet()

    def wait(self, timeout_s: float) -> bool:
        signalled = False
        try:
            if self._connection is None:
                self._connection = self._listen()
                signalled = True  # what came before is not
            # It is woken by the news: looking more often only looks whether to stop.
            pause_s = max(timeout_s, _LOOK_UP_S)
            for _ in self._connection.notifies(timeout=pause_s, stop_after=1):
                signalled = True
        except psycopg.OperationalError as error:
            _log.warning("change_signal_lost", cause=str(error), remedy="it listens anew")
            self.close()
            self._stopped.wait(max(timeout_s, _LISTEN_AGAIN_S))
        return not self._stopped.is_set() and self._quiet.ends(signalled)

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _listen(self) -> psycopg.Connection:
        dialect, url = self._database.engine.dialect, self._database.engine.url
        positional, named = dialect.create_connect_args(url)
        named = {**named, **postgresql_arguments(self._database.timeout_s)}
        connection = psycopg.connect(*positional, **named, autocommit=True)
        connection.execute(f"LISTEN {CHANNEL}")
        return connection
