"""A service with small limits keeps to them: waiting, remembering, keeping who has expired."""

from time import monotonic

from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.people import embedding, enroll_all, expire, names, revision, search

ADA, BOB, EVE = embedding(1), embedding(2), embedding(3)


def _collection(tight: TestClient, name: str) -> str:
    tight.post("/v1/collections", json={"name": name}).raise_for_status()
    return name


def test_revision_that_does_not_come_is_given_up_in_time(tight: TestClient) -> None:
    collection = _collection(tight, "waiting")
    wanted = {"embedding": ADA, "min_revision": revision(tight, collection) + 1}
    started = monotonic()
    response = tight.post(f"/v1/collections/{collection}/search", json=wanted)
    assert monotonic() - started < 30
    told = problem(response, 503, "revision_not_reached")["detail"]
    assert "is at revision 0" in told
    assert "in 0.05 s" in told
    assert int(response.headers["retry-after"]) >= 1


def test_terminal_remembers_the_latest_few(tight: TestClient) -> None:
    collection = _collection(tight, "doors")
    enroll_all(tight, collection, *({"embeddings": [person]} for person in (ADA, BOB, EVE)))
    for person in (ADA, BOB, EVE):
        search(tight, collection, person, terminal_id="door")
    stages = [
        search(tight, collection, person, terminal_id="door")["matched_stage"]
        for person in (EVE, BOB, ADA)
    ]
    assert stages == ["terminal", "terminal", 0]


def test_whoever_has_expired_is_erased_soon(tight: TestClient) -> None:
    collection = _collection(tight, "visitors")
    ada, _ = enroll_all(
        tight,
        collection,
        {"external_id": "1", "embeddings": [ADA]},
        {"name": "bob", "external_id": "2", "embeddings": [BOB]},
    )
    expire(tight, collection, ada)
    url = f"/v1/collections/{collection}/identities"
    gives_up = monotonic() + 60
    while (gone := tight.get(f"{url}/{ada}")).status_code == 200:
        assert monotonic() < gives_up
    problem(gone, 404, "identity_not_found")
    assert names(search(tight, collection, ADA)) == ["bob"]
    assert tight.post(url, json={"external_id": "1"}).status_code == 201, "the id is free again"
