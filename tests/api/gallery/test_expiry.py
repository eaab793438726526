"""From `expires_at` on, a person matches nobody."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, expire, lines, names, search, send

pytestmark = sqlite_only

ADA, BOB = embedding(1), embedding(2)
PAST, FUTURE = "2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z"


def _enroll(client: TestClient, collection: str, expires_at: str | None) -> str:
    ada, _ = enroll_all(
        client,
        collection,
        {"name": "ada", "embeddings": [ADA], "expires_at": expires_at},
        {"name": "bob", "embeddings": [BOB]},
    )
    return f"/v1/collections/{collection}/identities/{ada}"


def test_person_of_the_future_is_matched_and_the_moment_shown(
    client: TestClient, collection: str
) -> None:
    url = _enroll(client, collection, FUTURE)
    found = search(client, collection, ADA)
    assert (found["status"], found["identity"]["expires_at"]) == ("match", FUTURE)
    listed = client.get(f"/v1/collections/{collection}/identities").json()["identities"]
    assert [identity["expires_at"] for identity in listed] == [FUTURE, None]
    assert client.get(url).json()["expires_at"] == FUTURE


def test_a_moment_of_the_past_is_refused_with_the_clock(
    client: TestClient, collection: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    person = _enroll(client, collection, None)
    year = str(datetime.now(UTC).year)
    for method, path in (("POST", url), ("PATCH", person)):
        refused = problem(
            client.request(method, path, json={"expires_at": PAST}), 422, "invalid_request"
        )
        assert refused["errors"][0]["field"] == "expires_at"
        assert f"the service's clock says {year}" in refused["detail"]
    good, bad = send(
        client,
        collection,
        lines({"embeddings": [ADA], "expires_at": FUTURE}, {"name": "x", "expires_at": PAST}),
    )
    assert (good["status"], bad["status"], bad["code"]) == (
        "enrolled",
        "rejected",
        "invalid_request",
    )
    assert "the service's clock says" in bad["detail"]


def test_person_is_unknown_from_their_moment_on(client: TestClient, collection: str) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=0.3)
    _enroll(client, collection, moment.isoformat())
    gives_up = monotonic() + 60
    while search(client, collection, ADA)["status"] == "match":
        assert monotonic() < gives_up
    assert datetime.now(UTC) >= moment
    assert names(search(client, collection, ADA)) == ["bob"]


def test_moment_is_changed_and_taken_back(client: TestClient, collection: str) -> None:
    url = _enroll(client, collection, FUTURE)
    sooner = "2100-01-01T00:00:00Z"
    assert client.patch(url, json={"expires_at": sooner}).json()["expires_at"] == sooner
    assert client.patch(url, json={"name": "ada l."}).json()["expires_at"] == sooner
    assert client.patch(url, json={"expires_at": None}).json()["expires_at"] is None
    assert search(client, collection, ADA)["identity"]["expires_at"] is None
    expire(client, collection, url.rpartition("/")[2])
    assert search(client, collection, ADA)["status"] == "unknown"


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("2031-05-01T02:00:00+02:00", "2031-05-01T00:00:00Z"),
        ("2031-05-01T00:00:00.25Z", "2031-05-01T00:00:00.250000Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_moments_are_answered_in_utc(
    client: TestClient, collection: str, sent: str, answered: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    created = client.post(url, json={"expires_at": sent}).json()["identity"]
    assert created["expires_at"] == answered
    assert client.get(f"{url}/{created['id']}").json()["expires_at"] == answered


@pytest.mark.parametrize(
    "wrong",
    [
        "2031-05-01T00:00:00",
        "tomorrow",
        "2031-02-30T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+01:00",
        "",
    ],
)
def test_moments_without_a_zone_or_a_place_in_time_are_refused(
    client: TestClient, collection: str, wrong: str
) -> None:
    url = f"/v1/collections/{collection}/identities"
    person = client.post(url, json={}).json()["identity"]["id"]
    ways: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("POST", url, {"json": {"expires_at": wrong}}),
        ("POST", url, {"data": {"expires_at": wrong}, "files": {"x": b""}}),
        ("PATCH", f"{url}/{person}", {"json": {"expires_at": wrong}}),
    )
    for method, path, body in ways:
        errors = problem(client.request(method, path, **body), 422, "invalid_request")["errors"]
        assert errors[0]["field"] == "expires_at"
