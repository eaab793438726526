"""The description of the API is made once, and is a short answer for those who have it."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api import documents, problems
from app.api.routes import REQUEST_BODIES, api_router


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, list[None]]]:
    """An application of our routes, and a list that grows whenever they are described."""
    app = FastAPI(title="Vultus", openapi_url=None)
    app.include_router(api_router)
    problems.install(app, REQUEST_BODIES)
    describe = app.openapi
    described: list[None] = []

    def describe_and_count() -> dict[str, Any]:
        described.append(None)
        return describe()

    monkeypatch.setattr(app, "openapi", describe_and_count)
    documents.install(app)
    with TestClient(app) as client:
        yield client, described


def test_api_is_described_once(described: tuple[TestClient, list[None]]) -> None:
    client, times = described
    assert times == []
    answers = [client.get("/openapi.json") for _ in range(3)]
    assert len(times) == 1
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["info"]["title"] == "Vultus"


def test_description_that_is_known_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"if-none-match": f"W/{first.headers['etag']}"})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/openapi.json", headers={"if-none-match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_documents_keep_the_prefix_of_a_proxy(client: TestClient) -> None:
    behind = TestClient(client.app, root_path="/faces")
    assert behind.get("/openapi.json").json()["servers"] == [{"url": "/faces"}]
    assert "servers" not in client.get("/openapi.json").json()
