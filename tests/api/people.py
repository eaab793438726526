"""People without photos: made-up embeddings, enrolled by the line and looked for."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.gallery.records import IdentityChanges
from app.services import Services

DIMENSION = 128
JSON_LINES = {"content-type": "application/x-ndjson"}

Values = list[float]


def embedding(seed: int) -> Values:
    """Of unit length; those of two seeds are about as similar as two strangers' dice."""
    vector = np.random.default_rng(seed).normal(size=DIMENSION)
    made: Values = (vector / np.linalg.norm(vector)).tolist()
    return made


def like(other: Values, similarity: float, *, seed: int = 99) -> Values:
    """An embedding of this similarity to another."""
    base = np.asarray(other)
    away = np.asarray(embedding(seed))
    away -= (away @ base) * base
    away /= np.linalg.norm(away)
    made: Values = (similarity * base + np.sqrt(1 - similarity**2) * away).tolist()
    return made


def as_base64(values: Values) -> str:
    return b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii")


def lines(*people: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(person).encode() + b"\n" for person in people)


def send(client: TestClient, collection: str, body: bytes) -> list[dict[str, Any]]:
    """Send a batch; the answer line by line."""
    response = client.post(
        f"/v1/collections/{collection}/identities:batch", content=body, headers=JSON_LINES
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def enroll_all(client: TestClient, collection: str, *people: dict[str, Any]) -> list[str]:
    """Ids of people who are all new."""
    results = send(client, collection, lines(*people))
    assert [result["status"] for result in results] == ["enrolled"] * len(people), results
    return [result["identity_id"] for result in results]


def expire(client: TestClient, collection: str, identity_id: str) -> None:
    """Let somebody's time be over. No request may say so: moments of the past are refused."""
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)
    past = IdentityChanges(expires_at=datetime(2001, 1, 1, tzinfo=UTC))
    services.gallery.people.update(collection, identity_id, past)


def search(client: TestClient, collection: str, probe: Values, **options: Any) -> dict[str, Any]:
    response = client.post(
        f"/v1/collections/{collection}/search", json={"embedding": probe, **options}
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def names(found: dict[str, Any]) -> list[str]:
    """Of the candidates, most alike first."""
    return [candidate["name"] for candidate in found["candidates"]]


def revision(client: TestClient, collection: str) -> int:
    told: int = client.get(f"/v1/collections/{collection}").json()["revision"]
    return told


def counts(client: TestClient, collection: str) -> tuple[int, int]:
    """How many people and faces a collection has."""
    body = client.get(f"/v1/collections/{collection}").json()
    return body["identity_count"], body["face_count"]
