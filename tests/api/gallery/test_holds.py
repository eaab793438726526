"""Legal holds over HTTP: set and lifted by right, and said wherever they stand in the way."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from app.gallery.keys.rights import Role
from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all
from tests.kit.api_keys import new_key

pytestmark = sqlite_only

REASON = "case 2026/114"


@pytest.fixture
def ada(client: TestClient, collection: str) -> str:
    """The URL of Ada; Bob is there as well."""
    ada, _ = enroll_all(
        client,
        collection,
        {"name": "ada", "embeddings": [embedding(1)]},
        {"name": "bob", "embeddings": [embedding(2)]},
    )
    return f"/v1/collections/{collection}/identities/{ada}"


def test_hold_is_shown_and_refuses_deletions_until_it_is_lifted(
    client: TestClient, collection: str, ada: str
) -> None:
    people = f"/v1/collections/{collection}/identities"
    before = datetime.now(UTC)
    answer = client.put(f"{ada}/hold", json={"reason": f" {REASON} "})
    assert answer.status_code == 200, answer.text
    hold = answer.json()["hold"]
    assert before <= datetime.fromisoformat(hold["since"]) <= datetime.now(UTC)
    assert (hold["reason"], hold["principal"]) == (REASON, "none")
    assert client.get(ada).json()["hold"] == hold
    (held,) = client.get(people, params={"held": "true"}).json()["identities"]
    assert (held["name"], held["hold"]) == ("ada", hold)
    (free,) = client.get(people, params={"held": "false"}).json()["identities"]
    assert (free["name"], free["hold"]) == ("bob", None)
    assert client.get(f"/v1/collections/{collection}").json()["held_count"] == 1
    for url in (ada, f"/v1/collections/{collection}"):
        refused = problem(client.delete(url), 409, "held")
        assert "lift the hold" in refused["detail"]
    lifted = client.delete(f"{ada}/hold")
    assert (lifted.status_code, lifted.json()["hold"]) == (200, None)
    problem(client.delete(f"{ada}/hold"), 404, "hold_not_found")
    assert client.delete(ada).status_code == 200


def test_hold_needs_a_reason_and_a_person(client: TestClient, collection: str, ada: str) -> None:
    for body in ({}, {"reason": "  "}, {"reason": "x" * 1_001}):
        problem(client.put(f"{ada}/hold", json=body), 422, "invalid_request")
    nobody = f"/v1/collections/{collection}/identities/{'0' * 32}/hold"
    problem(client.put(nobody, json={"reason": REASON}), 404, "identity_not_found")


def test_who_erases_people_sets_holds_and_does_not_lift_them(
    tight: TestClient, collection: str
) -> None:
    name = f"{collection}-held"
    tight.post("/v1/collections", json={"name": name}).raise_for_status()
    (ada,) = enroll_all(tight, name, {"name": "ada", "embeddings": [embedding(1)]})
    url = f"/v1/collections/{name}/identities/{ada}/hold"
    key_id, officer = new_key(tight, role=Role.OFFICER, collections=[name])
    answer = tight.put(url, json={"reason": REASON}, headers=officer)
    assert answer.json()["hold"]["principal"] == key_id
    problem(tight.delete(url, headers=officer), 403, "missing_right")
    _, admin = new_key(tight, role=Role.ADMIN, collections=[name])
    assert tight.delete(url, headers=admin).status_code == 200
