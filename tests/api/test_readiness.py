"""/readyz says what is wrong, at once; long jobs and full disks have answers of their own."""

import errno
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import inf

import pytest
from fastapi.testclient import TestClient

from app.errors import DatabaseDamaged, DiskFull
from app.gallery.store.database_watch import DatabaseWatch, Look
from app.gallery.store.storage import Storage
from app.services import Services
from tests.api.conftest import problem

_LONG_S = 60.0


@pytest.fixture
def storage(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """Of the shared service; whole again after the test.

    What the threads of the service write and check meanwhile succeeds, as nothing is really wrong.
    It must not end what a test says is wrong.
    """
    services: Services = client.app.state.services  # type: ignore[attr-defined]
    found = services.database.storage
    monkeypatch.setattr(found, "written", lambda _since: None)
    monkeypatch.setattr(found, "found_whole", lambda _since: None)
    yield found
    _mend(found)


def _mend(storage: Storage) -> None:
    Storage.written(storage, inf)
    Storage.found_whole(storage, inf)


def test_a_full_disk_is_named_and_does_not_keep_searches_away(
    client: TestClient, storage: Storage
) -> None:
    storage.failed(DiskFull("the disk is full"))
    body = problem(client.get("/readyz"), 503, "disk_full")
    assert "free some space" in body["detail"]
    assert client.get("/readyz", params={"reads": True}).status_code == 200
    assert 'vultus_database_problem{code="disk_full"} 1.0' in client.get("/metrics").text
    _mend(storage)
    assert client.get("/readyz").json() == {"status": "ready"}
    assert 'vultus_database_problem{code="disk_full"} 0.0' in client.get("/metrics").text


def test_damage_is_named_also_to_searches_and_nothing_is_changed(
    client: TestClient, storage: Storage, collection: str
) -> None:
    storage.failed(DatabaseDamaged())
    for path in ("/readyz", "/readyz?reads=true"):
        assert "backup" in problem(client.get(path), 503, "database_damaged")["detail"]
    refused = client.patch(f"/v1/collections/{collection}", json={"description": "new"})
    problem(refused, 503, "database_damaged")
    assert int(refused.headers["retry-after"]) >= 60


def test_a_silent_database_is_said_to_be_silent(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DatabaseWatch, "silent_s", 7.2)
    body = problem(client.get("/readyz"), 503, "database_unavailable")
    assert "7 s" in body["detail"]


def test_readiness_does_not_wait_for_a_look_that_takes_long(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def slow(_: DatabaseWatch) -> Look:
        begun.set()
        assert go_on.wait(_LONG_S)
        return Look(None, None)

    monkeypatch.setattr(DatabaseWatch, "_look", slow)
    try:
        assert client.get("/readyz").json() == {"status": "ready"}
        assert begun.wait(_LONG_S)
    finally:
        go_on.set()


def test_one_long_job_of_a_kind_runs_and_the_others_are_refused_at_once(
    client: TestClient, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def calibrate(*_: object) -> None:
        begun.set()
        assert go_on.wait(_LONG_S)
        raise DatabaseDamaged

    monkeypatch.setattr("app.operations.policy.calibrator.Calibrator.calibrate", calibrate)
    path = f"/v1/collections/{collection}/calibration"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.post, path)
        assert begun.wait(_LONG_S)
        refused = client.post(path)
        assert client.get(f"/v1/collections/{collection}/identities").status_code == 200
        go_on.set()
        running.result(_LONG_S)
    assert "calibration" in problem(refused, 503, "busy")["detail"]
    assert int(refused.headers["retry-after"]) > 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_of_temporary_files_is_named_as_well(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, "as the system says it")

    monkeypatch.setattr("app.gallery.gallery_collections.GalleryCollections.page", full)
    problem(client.get("/v1/collections"), 507, "disk_full")
