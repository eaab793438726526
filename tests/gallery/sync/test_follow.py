"""A process learns by itself, without being asked, what others have committed."""

from collections.abc import Iterator
from threading import Event

import pytest
from sqlalchemy import text

from app.errors import DatabaseUnavailable
from app.gallery.gallery import Gallery
from app.gallery.store import quiet as quiet_module
from app.gallery.store.change_signal import ChangeSignal, change_signal
from app.gallery.store.database import Database
from app.gallery.sync import periodic as periodic_module
from app.gallery.sync.periodic import Periodic
from tests.gallery.conftest import Connect, OpenGallery, postgresql_only, sqlite_only
from tests.gallery.factories import COLLECTION, enroll, eventually, unit_vector, unit_vectors

POLL_S = 0.01


@pytest.fixture(autouse=True)
def _nobody_looks_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet_module, "_LOOK_ANYWAY_S", 3_600)
    monkeypatch.setattr("app.gallery.store.postgresql_signal._LOOK_UP_S", 0)


@pytest.fixture
def periodic() -> Iterator[Periodic]:
    made = Periodic()
    yield made
    made.stop()


@pytest.fixture
def follower(open_gallery: OpenGallery, periodic: Periodic) -> Gallery:
    """A process that nobody asks anything."""
    gallery = open_gallery()
    periodic.follow(gallery.sync.follow, gallery.store.database, poll_s=POLL_S)
    return gallery


def test_index_follows_what_another_process_does(
    open_gallery: OpenGallery, follower: Gallery
) -> None:
    other = open_gallery()
    identity, (face_id, *_) = enroll(other, *unit_vectors(3, seed=1))
    eventually(lambda: follower.sync.face_count() == 3)
    other.faces.delete(COLLECTION, identity.id, face_id)
    eventually(lambda: follower.sync.face_count() == 2)
    other.collections.create("staff", None)
    enroll(other, unit_vector(2), collection="staff")
    eventually(lambda: follower.sync.face_count() == 3)
    other.collections.delete(COLLECTION)
    eventually(lambda: follower.sync.face_count() == 1)


@sqlite_only
def test_several_processes_follow_one(open_gallery: OpenGallery, periodic: Periodic) -> None:
    writer, *followers = (open_gallery() for _ in range(4))
    for one in followers:
        periodic.follow(one.sync.follow, one.store.database, poll_s=POLL_S)
    enroll(writer, *unit_vectors(5, seed=1))
    eventually(lambda: all(one.sync.face_count() == 5 for one in followers))


def test_signal_tells_of_a_commit_and_not_of_what_was_undone(
    open_gallery: OpenGallery, connect: Connect
) -> None:
    signal = change_signal(connect(), Event())
    gallery = open_gallery()
    eventually(lambda: not signal.wait(POLL_S))
    enroll(gallery, unit_vector(1))
    eventually(lambda: signal.wait(POLL_S))
    eventually(lambda: not signal.wait(POLL_S))
    with pytest.raises(ZeroDivisionError):
        with gallery.store.changing(COLLECTION):
            raise ZeroDivisionError
    assert not signal.wait(POLL_S)
    signal.close()


def test_signal_says_nothing_once_it_is_to_stop(database: Database) -> None:
    stopped = Event()
    signal = change_signal(database, stopped)
    stopped.set()
    assert not signal.wait(POLL_S)
    signal.close()
    signal.close()


def test_somebody_looks_now_and_then_although_nothing_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told while the connection was broken is lost."""
    monkeypatch.setattr(quiet_module, "_LOOK_ANYWAY_S", 0.1)
    signal = change_signal(database, Event())
    for _ in range(3):
        eventually(lambda: not signal.wait(POLL_S))
        eventually(lambda: signal.wait(POLL_S))
    signal.close()


def listeners(database: Database) -> set[int]:
    """Connections that were opened to be told."""
    with database.reading() as session:
        query = text(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
        return set(session.scalars(query))


@postgresql_only
def test_lost_listening_connection_is_made_again(
    open_gallery: OpenGallery, follower: Gallery, database: Database
) -> None:
    other = open_gallery()
    eventually(lambda: len(listeners(database)) == 1)
    (lost,) = listeners(database)
    with database.writing() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": lost})
    enroll(other, unit_vector(1))
    eventually(lambda: follower.sync.face_count() == 1)
    eventually(lambda: len(listeners(database) - {lost}) == 1)
    enroll(other, unit_vector(2))
    eventually(lambda: follower.sync.face_count() == 2)


@postgresql_only
def test_listening_connection_is_given_back_at_the_end(
    follower: Gallery, periodic: Periodic, database: Database
) -> None:
    assert follower.sync.face_count() == 0
    eventually(lambda: len(listeners(database)) == 1)
    periodic.stop()
    eventually(lambda: listeners(database) == set())


@sqlite_only
def test_failure_while_following_does_not_end_it(
    open_gallery: OpenGallery, periodic: Periodic, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, other = open_gallery(), open_gallery()
    follow = gallery.sync.follow
    failed: list[bool] = []

    def fails_at_first() -> None:
        if len(failed) < 2:
            failed.append(True)
            raise DatabaseUnavailable("away") if len(failed) == 1 else ZeroDivisionError
        follow()

    monkeypatch.setattr(gallery.sync, "follow", fails_at_first)
    periodic.follow(gallery.sync.follow, gallery.store.database, poll_s=POLL_S)
    turns = iter(unit_vectors(50, seed=1))
    eventually(lambda: bool(enroll(other, next(turns))) and len(failed) == 2)
    enroll(other, unit_vector(2))
    faces = other.collections.get(COLLECTION).face_count
    eventually(lambda: gallery.sync.face_count() == faces)


@sqlite_only
def test_failure_while_listening_does_not_end_it(
    open_gallery: OpenGallery, periodic: Periodic, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [ZeroDivisionError(), DatabaseUnavailable("away")]

    def fails_at_first(database: Database, stopped: Event) -> ChangeSignal:
        if failures:
            raise failures.pop()
        return change_signal(database, stopped)

    monkeypatch.setattr(periodic_module, "change_signal", fails_at_first)
    gallery, other = open_gallery(), open_gallery()
    periodic.follow(gallery.sync.follow, gallery.store.database, poll_s=POLL_S)
    enroll(other, unit_vector(1))
    eventually(lambda: gallery.sync.face_count() == 1)
    assert not failures
