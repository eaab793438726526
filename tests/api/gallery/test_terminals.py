"""A terminal tries those first who were matched at it lately."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, expire, like, names, search
from tests.kit.default_network import MATCH

pytestmark = sqlite_only

ADA, BOB = embedding(1), embedding(2)


@pytest.fixture
def ids(client: TestClient, collection: str) -> dict[str, str]:
    made = enroll_all(
        client,
        collection,
        {"name": "ada", "embeddings": [ADA], "attributes": {"site": "north"}},
        {"name": "bob", "embeddings": [BOB], "attributes": {"site": "south"}},
    )
    return dict(zip(("ada", "bob"), made, strict=True))


def _stage(client: TestClient, collection: str, probe: list[float], **options: Any) -> Any:
    return search(client, collection, probe, **options)["matched_stage"]


@pytest.mark.usefixtures("ids")
def test_second_visit_is_matched_by_the_terminals_memory(
    client: TestClient, collection: str
) -> None:
    assert _stage(client, collection, ADA, terminal_id="door") == 0
    again = search(client, collection, ADA, terminal_id="door")
    assert (again["matched_stage"], again["identity"]["name"]) == ("terminal", "ada")
    assert names(again) == ["ada"], "the candidates are those of the terminal"


@pytest.mark.usefixtures("ids")
def test_other_people_terminals_and_collections_know_nothing_of_it(
    client: TestClient, collection: str
) -> None:
    assert _stage(client, collection, ADA, terminal_id="door") == 0
    assert _stage(client, collection, ADA, terminal_id="gate") == 0
    assert _stage(client, collection, BOB, terminal_id="door") == 0
    assert _stage(client, collection, ADA) == 0
    other = f"{collection}-other"
    client.post("/v1/collections", json={"name": other}).raise_for_status()
    enroll_all(client, other, {"embeddings": [ADA]})
    assert _stage(client, other, ADA, terminal_id="door") == 0


@pytest.mark.usefixtures("ids")
def test_strangers_are_not_remembered(client: TestClient, collection: str) -> None:
    nearly = like(ADA, MATCH - 0.02)
    for _ in range(2):
        found = search(client, collection, nearly, terminal_id="door")
        assert (found["status"], found["matched_stage"]) == ("unknown", None)
        assert names(found) == ["ada", "bob"], "everybody was looked at"
    assert _stage(client, collection, nearly, terminal_id="door", threshold=MATCH - 0.05) == 0


@pytest.mark.usefixtures("ids")
def test_terminal_comes_before_the_stages_with_the_threshold_of_the_search(
    client: TestClient, collection: str
) -> None:
    search(client, collection, ADA, terminal_id="door")
    stages = [{"filter": {"attributes": {"site": "south"}}}, {"threshold": 0.0}]
    found = search(client, collection, like(ADA, 0.97), terminal_id="door", stages=stages)
    assert found["matched_stage"] == "terminal"
    found = search(client, collection, like(ADA, MATCH - 0.02), terminal_id="door", stages=stages)
    assert (found["matched_stage"], found["threshold"]) == (1, 0.0)


def test_deleted_person_is_forgotten(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    search(client, collection, ADA, terminal_id="door")
    url = f"/v1/collections/{collection}/identities/{ids['ada']}"
    client.delete(url).raise_for_status()
    gone = search(client, collection, ADA, terminal_id="door")
    assert (gone["status"], names(gone)) == ("unknown", ["bob"])
    enroll_all(client, collection, {"name": "ada again", "embeddings": [ADA]})
    found = search(client, collection, ADA, terminal_id="door")
    assert (found["identity"]["name"], found["matched_stage"]) == ("ada again", 0)


def test_whoever_expires_is_forgotten(
    client: TestClient, collection: str, ids: dict[str, str]
) -> None:
    search(client, collection, ADA, terminal_id="door")
    expire(client, collection, ids["ada"])
    found = search(client, collection, ADA, terminal_id="door")
    assert (found["status"], names(found)) == ("unknown", ["bob"])


@pytest.mark.parametrize("wrong", ["", "a b", "x" * 65, "a/b", 5])
def test_terminals_have_plain_names(client: TestClient, collection: str, wrong: object) -> None:
    response = client.post(
        f"/v1/collections/{collection}/search", json={"embedding": ADA, "terminal_id": wrong}
    )
    (named,) = problem(response, 422, "invalid_request")["errors"]
    assert named["field"] == "terminal_id"
