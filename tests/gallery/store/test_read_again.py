"""A read whose connection breaks is tried once more; a change is made once or told to be unsure."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.errors import CollectionNotFound, DatabaseUnavailable
from app.gallery.gallery import Gallery
from app.gallery.records import IdentityFilter, NewIdentity
from app.gallery.store.collection_view import CollectionView
from app.gallery.store.database import Database, read_again
from app.gallery.store.repositories.collection_repository import Calibrated, CollectionRepository
from tests.gallery.conftest import postgresql_only
from tests.gallery.factories import (
    COLLECTION,
    MODEL,
    all_identities,
    compare,
    enroll,
    new_face,
    search_people,
    unit_vector,
)

PROBE = unit_vector(1)


class Breaks:
    """Ends the backend of a session, the first few times that it looks up a collection."""

    def __init__(self, admin: Database, *, times: int) -> None:
        self._admin = admin
        self._left = times
        self.looks = 0

    def maybe(self, session: Session) -> None:
        self.looks += 1
        if self._left:
            self._left -= 1
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            with self._admin.writing() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})


@pytest.fixture
def breaking(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Breaks]:
    def start(times: int) -> Breaks:
        breaks = Breaks(database, times=times)
        find, advance = CollectionRepository.find, CollectionRepository.advance
        get_calibrated = CollectionRepository.get_calibrated

        def breaking_find(self: CollectionRepository, name: str) -> CollectionView | None:
            breaks.maybe(self._session)
            return find(self, name)

        def breaking_get(
            self: CollectionRepository, name: str
        ) -> tuple[CollectionView, Calibrated]:
            breaks.maybe(self._session)
            return get_calibrated(self, name)

        def breaking_advance(self: CollectionRepository, name: str) -> CollectionView:
            breaks.maybe(self._session)
            return advance(self, name)

        monkeypatch.setattr(CollectionRepository, "find", breaking_find)
        monkeypatch.setattr(CollectionRepository, "get_calibrated", breaking_get)
        monkeypatch.setattr(CollectionRepository, "advance", breaking_advance)
        return breaks

    return start


def reads(gallery: Gallery, identity_id: str, face_id: str) -> dict[str, Callable[[], object]]:
    return {
        "search": lambda: search_people(gallery, COLLECTION, [PROBE], top_k=1),
        "compare": lambda: compare(gallery, COLLECTION, identity_id, PROBE),
        "get": lambda: gallery.people.get(COLLECTION, identity_id),
        "list": lambda: gallery.people.page(COLLECTION, IdentityFilter(), limit=5, cursor=None),
        "faces": lambda: gallery.faces.page(COLLECTION, identity_id, limit=5, cursor=None),
        "collection": lambda: gallery.collections.get(COLLECTION),
        "require": lambda: gallery.collections.require(COLLECTION),
        "revision": lambda: gallery.collections.revision(COLLECTION),
        "probe": lambda: list(gallery.faces.probe_of(COLLECTION, face_id).by_digest[MODEL.digest]),
        "images": lambda: gallery.faces.enrolled_images(COLLECTION, identity_id),
        "ids": lambda: gallery.people.ids_of(COLLECTION, ["e1"]),
    }


@postgresql_only
def test_read_whose_backend_ended_is_repeated_and_succeeds(
    gallery: Gallery, breaking: Callable[[int], Breaks]
) -> None:
    identity, (face_id, *_) = enroll(gallery, PROBE)
    for read in reads(gallery, identity.id, face_id).values():
        expected = read()
        breaks = breaking(1)
        assert read() == expected
        assert breaks.looks >= 2


@postgresql_only
def test_read_is_repeated_once(gallery: Gallery, breaking: Callable[[int], Breaks]) -> None:
    breaks = breaking(2)
    with pytest.raises(DatabaseUnavailable, match="does not answer"):
        gallery.collections.get(COLLECTION)
    assert breaks.looks == 2
    assert gallery.collections.get(COLLECTION).face_count == 0


@postgresql_only
def test_change_whose_backend_ended_is_not_repeated(
    gallery: Gallery, breaking: Callable[[int], Breaks]
) -> None:
    identity, (face_id, *_) = enroll(gallery, PROBE)
    before = gallery.collections.get(COLLECTION)
    changes: list[Callable[[], object]] = [
        lambda: gallery.people.enroll(COLLECTION, NewIdentity(), [new_face(-PROBE)]),
        lambda: gallery.faces.add(COLLECTION, identity.id, [new_face(-PROBE)]),
        lambda: gallery.people.delete(COLLECTION, identity.id),
        lambda: gallery.faces.delete(COLLECTION, identity.id, face_id),
        lambda: gallery.collections.delete(COLLECTION),
        lambda: gallery.people.enroll_many(COLLECTION, []),
    ]
    for change in changes:
        breaks = breaking(1)
        with pytest.raises(DatabaseUnavailable, match="did not confirm the change"):
            change()
        assert breaks.looks == 1
    assert gallery.collections.get(COLLECTION) == before
    assert [one.id for one in all_identities(gallery)] == [identity.id]


class Reader:
    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.tries = 0

    @read_again
    def read(self) -> str:
        self.tries += 1
        if self._errors:
            raise self._errors.pop(0)
        return "read"


def unavailable(*, broken: bool) -> DatabaseUnavailable:
    error = DatabaseUnavailable("the database does not answer")
    error.__cause__ = OperationalError("", {}, Exception(), connection_invalidated=broken)
    return error


def test_only_a_broken_connection_is_a_reason_to_read_again() -> None:
    mended = Reader(unavailable(broken=True))
    assert (mended.read(), mended.tries) == ("read", 2)
    for error in (
        unavailable(broken=False),  # it was busy for as long as we would wait
        DatabaseUnavailable("no connection was free"),
        CollectionNotFound("there is no such collection", collection="staff"),
        ZeroDivisionError(),
    ):
        reader = Reader(error)
        with pytest.raises(type(error)):
            reader.read()
        assert reader.tries == 1


def test_second_failure_is_told() -> None:
    reader = Reader(unavailable(broken=True), unavailable(broken=True))
    with pytest.raises(DatabaseUnavailable):
        reader.read()
    assert reader.tries == 2
