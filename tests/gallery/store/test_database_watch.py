"""A database that is silent is noticed beside the requests, and nobody waits for it for long."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from time import monotonic

import pytest
from sqlalchemy import text

from app.errors import DatabaseUnavailable
from app.gallery.store.database import Database
from app.gallery.store.database_watch import DatabaseWatch
from app.gallery.sync.index_sync import Lag
from tests.gallery.conftest import postgresql_only

_LONG_S = 60.0
_LAG = Lag(collection_count=1, revisions_behind=0)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def _watch(check: object = lambda: None) -> DatabaseWatch:
    assert callable(check)
    return DatabaseWatch(check, lambda: _LAG)


def test_a_look_says_what_was_found() -> None:
    watch = _watch()
    watch.start()
    found = watch.look().result(_LONG_S)
    assert (found.error, found.lag) == (None, _LAG)
    watch.stop()


def test_a_look_says_what_is_wrong_and_the_next_one_that_it_is_over() -> None:
    failures: list[Exception] = [DatabaseUnavailable("gone"), ZeroDivisionError()]

    def check() -> None:
        if failures:
            raise failures.pop(0)

    watch = _watch(check)
    watch.start()
    found = [watch.look().result(_LONG_S).error for _ in range(3)]
    assert [str(error)[:8] for error in found if error] == ["gone", "the data"]
    assert found[2] is None
    watch.stop()


def test_a_silent_database_gives_no_look_but_the_latest(gate: threading.Event) -> None:
    asked = threading.Semaphore(0)

    def check() -> None:
        asked.release()
        assert gate.wait(_LONG_S)

    gate.set()
    watch = _watch(check)
    watch.start()
    before = watch.look().result(_LONG_S)
    gate.clear()
    while asked.acquire(blocking=False):
        pass
    watch.look()
    assert asked.acquire(timeout=_LONG_S)
    began = monotonic()
    assert watch.look_within(0.05) == before
    assert monotonic() - began < _LONG_S / 2
    assert watch.silent_s > 0
    assert not watch.gives_up(0.0)
    gate.set()
    assert watch.look().result(_LONG_S).error is None
    assert watch.silent_s == 0
    watch.stop()


def test_a_service_that_stops_waits_for_less() -> None:
    watch = _watch()
    assert not watch.gives_up(2.0)
    watch.stop()
    assert watch.gives_up(2.0)
    assert not watch.gives_up(1.0)
    assert not watch.gives_up(float("inf"))  # it is not silent: what is left can be saved


@postgresql_only
def test_a_statement_is_given_up_when_the_server_is_silent(database: Database) -> None:
    database.gives_up = lambda waited_s: 0.2 < waited_s < _LONG_S
    with pytest.raises(DatabaseUnavailable), database.reading() as session:
        session.execute(text("SELECT pg_sleep(60)"))
    database.gives_up = lambda _: False
    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1


def _accept_all(server: socket.socket) -> int:
    """Number of the connections that were made and not accepted yet. They are closed."""
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_server_that_accepts_and_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql+psycopg://user@127.0.0.1:{port}/database"
        with closing(Database(url, timeout_s=1)) as database:
            with pytest.raises(DatabaseUnavailable):
                database.check()
            silent.setblocking(False)
            _accept_all(silent)
            database.gives_up = lambda _: True
            with pytest.raises(DatabaseUnavailable), database.writing():
                pass
            assert _accept_all(silent) == 0
