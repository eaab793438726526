"""API keys of a service under test."""

from typing import Any

from fastapi.testclient import TestClient


def new_key(client: TestClient, **fields: Any) -> tuple[str, dict[str, str]]:
    """Make a key by the client, whose own key is an admin's; return its id and its header."""
    answer = client.post("/v1/keys", json={"name": "of a test", **fields})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return made["key"]["id"], {"x-api-key": made["text"]}
