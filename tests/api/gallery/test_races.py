"""Requests that come at the same moment: each is answered as if the others came before or after."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.api.people import (
    JSON_LINES,
    counts,
    embedding,
    enroll_all,
    lines,
    names,
    revision,
    search,
)

Request = Callable[[], Response]
ADA = embedding(1)
ROUNDS = 5


def _at_once(*requests: Request) -> list[Response]:
    barrier = Barrier(len(requests))

    def when_all_are_there(request: Request) -> Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(when_all_are_there, requests))


def _statuses(*requests: Request) -> list[int]:
    return sorted(response.status_code for response in _at_once(*requests))


def test_person_is_deleted_by_one_of_two(client: TestClient, collection: str) -> None:
    for _ in range(ROUNDS):
        (ada,) = enroll_all(client, collection, {"embeddings": [ADA]})
        url = f"/v1/collections/{collection}/identities/{ada}"
        assert _statuses(*[lambda url=url: client.delete(url)] * 2) == [200, 404]
        assert counts(client, collection) == (0, 0)


def test_external_id_goes_to_one_of_two(client: TestClient, collection: str) -> None:
    url = f"/v1/collections/{collection}/identities"
    for number in range(ROUNDS):
        person = {"external_id": str(number)}
        post = [lambda person=person: client.post(url, json=person)] * 2
        assert _statuses(*post) == [201, 409]
    assert counts(client, collection) == (ROUNDS, 0)


def test_two_batches_of_the_same_people_enroll_them_once(
    client: TestClient, collection: str
) -> None:
    body = lines(
        *({"external_id": str(number), "embeddings": [embedding(number)]} for number in range(20))
    )
    url = f"/v1/collections/{collection}/identities:batch"
    post = [lambda: client.post(url, content=body, headers=JSON_LINES)] * 2
    one, other = (response.text.splitlines() for response in _at_once(*post))
    assert len(one) == len(other) == 20
    assert sum('"status":"enrolled"' in line for line in [*one, *other]) == 20
    assert sum('"status":"exists"' in line for line in [*one, *other]) == 20
    assert counts(client, collection) == (20, 20)


def test_every_write_of_many_has_a_revision_of_its_own(client: TestClient, collection: str) -> None:
    before = revision(client, collection)
    url = f"/v1/collections/{collection}/identities"
    made = _at_once(*[lambda: client.post(url, json={})] * 8)
    told = sorted(response.json()["identity"]["revision"] for response in made)
    assert told == list(range(before + 1, before + 9))


@pytest.mark.parametrize("by", ["person", "batch"])
def test_whoever_is_enrolled_into_a_dying_collection_is_not_there_afterwards(
    client: TestClient, collection: str, by: str
) -> None:
    url = f"/v1/collections/{collection}"
    body = lines({"external_id": "1", "embeddings": [ADA]})
    enroll: Request = {
        "person": lambda: client.post(f"{url}/identities", json={"external_id": "1"}),
        "batch": lambda: client.post(f"{url}/identities:batch", content=body, headers=JSON_LINES),
    }[by]
    for _ in range(ROUNDS):
        enrolled, deleted = _at_once(enroll, lambda: client.delete(url))
        assert deleted.status_code == 200
        assert enrolled.status_code in ({"person": 201, "batch": 200}[by], 404)
        gone = deleted.json()["identity_count"]
        assert gone == (1 if enrolled.status_code < 300 else 0), (
            "it was there before, or not at all"
        )
        client.post("/v1/collections", json={"name": collection}).raise_for_status()
        assert counts(client, collection) == (0, 0)
        assert names(search(client, collection, ADA)) == []
