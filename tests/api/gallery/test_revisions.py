"""Read your own writes: what a write answers as `revision`, a search may ask for."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import image, images, problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, lines, names, revision, search, send

pytestmark = sqlite_only

ADA = embedding(1)


def test_every_write_answers_a_revision_that_a_search_finds_reached(
    client: TestClient, collection: str
) -> None:
    people = f"/v1/collections/{collection}/identities"
    told = [revision(client, collection)]

    def wrote(answered: int) -> None:
        told.append(answered)
        assert answered == revision(client, collection)
        search(client, collection, ADA, min_revision=answered)

    created = client.post(people, json={"name": "Grace"}).json()["identity"]
    wrote(created["revision"])
    grace = f"{people}/{created['id']}"
    added = client.post(f"{grace}/faces", files=images("hopper")).json()
    wrote(added["identity"]["revision"])
    wrote(client.patch(grace, json={"name": "Grace H."}).json()["revision"])
    wrote(client.delete(f"{grace}/faces/{added['faces'][0]['id']}").json()["revision"])
    (line,) = send(client, collection, lines({"name": "ada", "embeddings": [ADA]}))
    wrote(line["revision"])
    wrote(client.delete(grace).json()["revision"])
    assert told == sorted(set(told)), "each write has a revision of its own"


def test_reading_a_person_tells_the_revision_that_it_stands_for(
    client: TestClient, collection: str
) -> None:
    (ada,) = enroll_all(client, collection, {"name": "ada", "embeddings": [ADA]})
    now = revision(client, collection)
    url = f"/v1/collections/{collection}/identities"
    assert client.get(f"{url}/{ada}").json()["revision"] == now
    assert client.get(url).json()["identities"][0]["revision"] == now
    assert search(client, collection, ADA)["identity"]["revision"] == now


def test_deleted_collection_answers_its_last_revision(client: TestClient, collection: str) -> None:
    enroll_all(client, collection, {"embeddings": [ADA]})
    before = revision(client, collection)
    url = f"/v1/collections/{collection}"
    assert client.delete(url).json()["revision"] == before + 1
    wanted = {"embedding": ADA, "min_revision": before + 1}
    problem(client.post(f"{url}/search", json=wanted), 404, "collection_not_found")


def test_emptied_default_collection_goes_on_from_the_revision_of_its_deletion(
    client: TestClient,
) -> None:
    enroll_all(client, "default", {"embeddings": [ADA]})
    emptied = client.delete("/v1/collections/default").json()["revision"]
    assert names(search(client, "default", ADA, min_revision=emptied)) == []
    (line,) = send(client, "default", lines({"name": "ada", "embeddings": [ADA]}))
    assert line["revision"] > emptied
    assert names(search(client, "default", ADA, min_revision=line["revision"])) == ["ada"]
    client.delete("/v1/collections/default").raise_for_status()


def test_search_waits_for_a_revision_that_is_on_its_way(
    client: TestClient, collection: str
) -> None:
    wanted = revision(client, collection) + 1
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(search, client, collection, ADA, min_revision=wanted)
        enroll_all(client, collection, {"name": "ada", "embeddings": [ADA]})
        assert names(waiting.result()) == ["ada"]


@pytest.mark.parametrize("wrong", [-1, 2**63, 1.5, "x", "1.0.0"])
def test_revisions_are_whole_numbers(client: TestClient, collection: str, wrong: object) -> None:
    for url, options in (
        ("search", {"json": {"embedding": ADA, "min_revision": wrong}}),
        ("identify", {"data": {"min_revision": str(wrong)}, "files": image("coffee")}),
    ):
        response = client.post(f"/v1/collections/{collection}/{url}", **options)
        (named,) = problem(response, 422, "invalid_request")["errors"]
        assert named["field"] == "min_revision"
