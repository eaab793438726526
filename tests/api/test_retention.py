"""A service whose clock is not believed keeps expired people until an admin confirms the clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.gallery.keys.rights import Role
from app.gallery.retention.clock_reading import ClockReading
from app.main import create_app
from app.services import Services, build_services
from app.settings import Settings
from tests.api.conftest import problem
from tests.api.people import embedding, enroll_all, expire
from tests.kit.api_keys import new_key

COLLECTION = "default"
KEY = "k" * 16


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A service of its own: the clock is that of all collections."""
    settings = Settings(data_dir=tmp_path, device="cpu", api_keys=KEY)
    with TestClient(
        create_app(settings, build_services(settings)), headers={"x-api-key": KEY}
    ) as started:
        yield started


def test_expired_people_wait_until_the_clock_is_confirmed(client: TestClient) -> None:
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)
    (ada,) = enroll_all(client, COLLECTION, {"name": "ada", "embeddings": [embedding(1)]})
    expire(client, COLLECTION, ada)
    assert client.get("/v1/retention").json()["state"] == "goes_on"
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    with services.gallery.store.writing_all() as collections:
        collections.clock.set(ClockReading(long_ago, 1.0, "another start of the machine"))
    services.sweep.erase_expired()
    state = client.get("/v1/retention").json()
    assert (state["state"], state["why"]) == ("waits", "long_stop")
    assert state["waiting"] == [{"what": "people", "collection": COLLECTION, "count": 1}]
    assert datetime.fromisoformat(state["trusted"]) - long_ago < timedelta(minutes=1)
    assert client.get("/v1/stats").json()["problems"] == ["retention_waits"]
    assert "vultus_retention_waits 1.0" in client.get("/metrics").text
    assert client.get("/readyz").status_code == 200
    _, foreign = new_key(client, role=Role.VIEWER, collections=["other"])
    seen = client.get("/v1/retention", headers=foreign).json()
    assert (seen["state"], seen["waiting"]) == ("waits", [])
    right = {"clock": datetime.now(UTC).isoformat()}
    wrong = {"clock": (datetime.now(UTC) + timedelta(minutes=6)).isoformat()}
    problem(client.post("/v1/retention:confirm", json=wrong), 422, "invalid_request")
    _, limited = new_key(client, role=Role.ADMIN, collections=[COLLECTION])
    refused = client.post("/v1/retention:confirm", json=right, headers=limited)
    problem(refused, 403, "collection_not_granted")
    assert client.get(f"/v1/collections/{COLLECTION}").json()["identity_count"] == 1
    done = client.post("/v1/retention:confirm", json=right)
    assert (done.status_code, done.json()["state"]) == (200, "goes_on")
    assert client.get(f"/v1/collections/{COLLECTION}").json()["identity_count"] == 0


def test_clock_behind_the_newest_that_was_believed_is_a_problem_until_it_is_confirmed(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(client.app, FastAPI)
    services = client.app.state.services
    assert isinstance(services, Services)
    ahead = datetime.now(UTC) + timedelta(days=3_650)
    with services.gallery.store.writing_all() as collections:
        collections.clock.set(ClockReading(ahead, 1.0, "another start of the machine"))
    services.sweep.erase_expired()
    state = client.get("/v1/retention").json()
    assert (state["state"], datetime.fromisoformat(state["behind"])) == ("goes_on", ahead)
    assert client.get("/v1/stats").json()["problems"] == ["clock_behind"]
    assert "vultus_retention_waits 0.0" in client.get("/metrics").text
    assert "vultus sweep --confirm" in caplog.text
    confirmed = client.post("/v1/retention:confirm", json={"clock": datetime.now(UTC).isoformat()})
    assert confirmed.json()["behind"] is None
    assert client.get("/v1/stats").json()["problems"] == []
