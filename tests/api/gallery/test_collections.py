"""Collections over HTTP."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from models.zoo.names import DEFAULT_NETWORK
from tests.api.conftest import Enroll, image, problem
from tests.api.gallery.conftest import sqlite_only


def test_default_exists_from_the_start(client: TestClient) -> None:
    body = client.get("/v1/collections/default").json()
    assert body["name"] == "default"
    assert body["model"]["name"] == DEFAULT_NETWORK
    assert len(body["model"]["digest"]) == 64


def test_collections_are_created_listed_and_deleted(client: TestClient, collection: str) -> None:
    assert client.get(f"/v1/collections/{collection}").json()["identity_count"] == 0
    names, page = set[str](), client.get("/v1/collections").json()
    names |= {item["name"] for item in page["collections"]}
    while page["next_cursor"] is not None:  # other tests have made some, too
        page = client.get("/v1/collections", params={"cursor": page["next_cursor"]}).json()
        names |= {item["name"] for item in page["collections"]}
    assert {"default", collection} <= names
    problem(client.post("/v1/collections", json={"name": collection}), 409, "collection_exists")
    assert client.delete(f"/v1/collections/{collection}").status_code == 200
    problem(client.get(f"/v1/collections/{collection}"), 404, "collection_not_found")
    problem(client.delete(f"/v1/collections/{collection}"), 404, "collection_not_found")


@sqlite_only
def test_names_that_would_not_fit_a_path_are_refused(client: TestClient) -> None:
    for name in ("", "a/b", ".", "..", "a b", "x" * 256, "." * 256, "é", "a\n"):
        problem(client.post("/v1/collections", json={"name": name}), 422, "invalid_request")


@pytest.mark.parametrize("name", ["x" * 255, "_", "-a", "..." + "y" * 252, ".b"])
def test_names_that_other_services_give_are_taken(client: TestClient, name: str) -> None:
    assert client.post("/v1/collections", json={"name": name}).status_code == 201
    url = f"/v1/collections/{name}"
    first, again = (
        client.post(f"{url}/identities", json={"name": "Ada"}, headers={"idempotency-key": "k"})
        for _ in range(2)
    )
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert client.get("/v1/audit", params={"collection": name}).json()["lines"]
    assert client.get("/v1/collections", params={"q": name}).json()["collections"]
    assert client.delete(url).json()["collection"] == name


def test_default_is_emptied_by_its_deletion_and_stays(client: TestClient) -> None:
    client.post(
        "/v1/collections/default/identities", files=image("astronaut", "images")
    ).raise_for_status()
    assert client.delete("/v1/collections/default").status_code == 200
    assert client.get("/v1/collections/default").json()["identity_count"] == 0
    found = client.post("/v1/collections/default/identify", files=image("astronaut")).json()
    assert found["faces"][0]["candidates"] == []


def test_collections_do_not_see_each_other(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut")
    other = f"{collection}-other"
    client.post("/v1/collections", json={"name": other, "description": "empty"})
    found = client.post(f"/v1/collections/{other}/identify", files=image("astronaut")).json()
    assert found["faces"][0]["status"] == "unknown"
    assert found["faces"][0]["candidates"] == []


def test_recreated_collection_starts_empty(
    client: TestClient, collection: str, enroll: Enroll
) -> None:
    enroll("astronaut")
    client.delete(f"/v1/collections/{collection}")
    client.post("/v1/collections", json={"name": collection})
    found = client.post(f"/v1/collections/{collection}/identify", files=image("astronaut")).json()
    assert found["faces"][0]["candidates"] == []


def test_options_are_merged_and_null_sets_one_back(client: TestClient, collection: str) -> None:
    path = f"/v1/collections/{collection}"

    def patch(**body: object) -> dict[str, Any]:
        answer = client.patch(path, json=body)
        assert answer.status_code == 200, answer.text
        assert client.get(path).json() == answer.json()
        parsed: dict[str, Any] = answer.json()
        return parsed

    before = client.get(path).json()
    assert set(before["options"]["decisions"].values()) == {None}
    patch(options={"decisions": {"target_fpir": 0.01, "margin": 0.02}})
    patch(description="Head office")
    patch(options={"unknowns": {"keep": True, "retention_s": 60}})
    after = patch(options={"decisions": {"margin": None, "target_fmr": 1e-4}})
    assert after["description"] == "Head office"
    assert after["revision"] == before["revision"]
    wanted = {"target_fpir": 0.01, "margin": None, "target_fmr": 1e-4}
    assert wanted.items() <= after["options"]["decisions"].items()
    assert after["options"]["unknowns"] == {"keep": True, "retention_s": 60, "crops": False}
    assert patch(description=None)["description"] is None


@sqlite_only
def test_options_out_of_bounds_are_refused(client: TestClient, collection: str) -> None:
    wrong: tuple[dict[str, dict[str, object]], ...] = (
        {"decisions": {"target_fpir": 0}},
        {"decisions": {"target_fmr": 1}},
        {"decisions": {"identify_threshold": 1.5}},
        {"decisions": {"typo": 1}},
        {"unknowns": {"retention_s": -1}},
        {"typo": {}},
    )
    for options in wrong:
        answer = client.patch(f"/v1/collections/{collection}", json={"options": options})
        problem(answer, 422, "invalid_request")
    problem(client.patch("/v1/collections/nowhere", json={}), 404, "collection_not_found")
