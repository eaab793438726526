"""Consents over HTTP: given, listed, withdrawn, and demanded by a collection."""

import json

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem
from tests.api.gallery.conftest import sqlite_only
from tests.api.people import embedding, enroll_all, lines, search, send

pytestmark = sqlite_only

ADA = embedding(1)
FUTURE, LATER, PAST = "2101-01-01T00:00:00Z", "2102-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
CONSENT = {"purpose": "access", "text_version": "2026-02", "source": "form 12", "until": FUTURE}


@pytest.fixture
def url(client: TestClient, collection: str) -> str:
    """The consents of a person who has one."""
    (ada,) = enroll_all(client, collection, {"embeddings": [ADA], "consent": CONSENT})
    return f"/v1/collections/{collection}/identities/{ada}/consents"


def _demand(client: TestClient, collection: str, **options: object) -> None:
    answer = client.patch(f"/v1/collections/{collection}", json={"options": {"people": options}})
    assert answer.status_code == 200, answer.text
    shown = answer.json()["options"]["people"]
    assert {name: shown[name] for name in options} == options


def test_a_consent_of_a_batch_line_is_listed(client: TestClient, url: str) -> None:
    (consent,) = client.get(url).json()["consents"]
    assert {name: consent[name] for name in CONSENT} == CONSENT
    assert (consent["basis"], consent["state"]) == ("explicit_consent", "valid")
    assert consent["recorded_by"] == "none"
    assert client.get(url.removesuffix("/consents")).json()["consent_until"] == FUTURE


def test_a_further_consent_is_given(client: TestClient, url: str) -> None:
    further = {"purpose": "canteen", "basis": "contract", "given_at": PAST, "until": LATER}
    given = client.post(url, json=further)
    assert given.status_code == 201, given.text
    assert given.json().items() >= further.items()
    assert client.get(url.removesuffix("/consents")).json()["consent_until"] == LATER
    page = client.get(url, params={"limit": 1}).json()
    rest = client.get(url, params={"cursor": page["next_cursor"]}).json()
    assert [one["purpose"] for one in page["consents"] + rest["consents"]] == ["access", "canteen"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "purpose"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x", "basis": "because"}, "basis"),
        ({"purpose": "x", "until": PAST}, "until"),
        ({"purpose": "x", "given_at": FUTURE}, "given_at"),
        ({"purpose": "x", "untill": FUTURE}, "untill"),
    ],
)
def test_a_wrong_consent_is_refused_by_its_field(
    client: TestClient, url: str, wrong: dict[str, str], field: str
) -> None:
    errors = problem(client.post(url, json=wrong), 422, "invalid_request")["errors"]
    assert errors[0]["field"] == field


def test_the_withdrawal_of_the_last_consent_erases_once_it_is_confirmed(
    client: TestClient, collection: str, url: str
) -> None:
    (consent,) = client.get(url).json()["consents"]
    withdraw = f"{url}/{consent['id']}:withdraw"
    refused = problem(client.post(withdraw), 409, "withdrawal_erases")
    assert "confirm_erasure=true" in refused["detail"]
    done = client.post(withdraw, params={"confirm_erasure": True}).json()
    assert done["consent"]["state"] == "withdrawn"
    assert done["erasure"]["identity_count"] == 1
    lines_of = client.get("/v1/audit", params={"receipt_id": done["erasure"]["receipt_id"]})
    (line,) = lines_of.json()["lines"]
    assert (line["action"], line["details"]["why"]) == ("identity.erased", "consent_withdrawn")
    problem(client.get(url), 404, "identity_not_found")
    assert search(client, collection, ADA)["status"] == "unknown"


def test_one_of_two_consents_is_withdrawn_without_an_erasure(client: TestClient, url: str) -> None:
    client.post(url, json={"purpose": "canteen"})
    first, _ = client.get(url).json()["consents"]
    done = client.post(f"{url}/{first['id']}:withdraw").json()
    assert done["erasure"] is None
    states = [one["state"] for one in client.get(url).json()["consents"]]
    assert states == ["withdrawn", "valid"]
    problem(client.post(f"{url}/{'0' * 32}:withdraw"), 404, "consent_not_found")


def test_a_collection_demands_consents(client: TestClient, collection: str) -> None:
    (before,) = enroll_all(client, collection, {"embeddings": [ADA]})
    _demand(client, collection, require_consent=True)
    url = f"/v1/collections/{collection}/identities"
    refused = problem(client.post(url, json={"name": "Bob"}), 422, "consent_required")
    assert '"purpose"' in refused["detail"]
    bare, given = send(
        client,
        collection,
        lines({"external_id": "1"}, {"external_id": "2", "consent": {"purpose": "access"}}),
    )
    assert (bare["status"], bare["code"]) == ("rejected", "consent_required")
    assert given["status"] == "enrolled"
    form = client.post(url, files={"consent": (None, json.dumps(CONSENT))})
    assert form.status_code == 201, form.text

    def listed(consent: str) -> list[str]:
        people = client.get(url, params={"consent": consent}).json()["identities"]
        return [person["id"] for person in people]

    assert listed("missing") == [before]
    assert listed("valid") == [given["identity_id"], form.json()["identity"]["id"]]


def test_the_longest_retention_ends_who_has_no_end(client: TestClient, collection: str) -> None:
    _demand(client, collection, longest_retention_s=86_400)
    url = f"/v1/collections/{collection}/identities"
    made = client.post(url, json={"name": "Bob"}).json()["identity"]
    assert made["expires_at"] is not None
    for answer in (
        client.post(url, json={"expires_at": FUTURE}),
        client.patch(f"{url}/{made['id']}", json={"expires_at": None}),
    ):
        refused = problem(answer, 422, "retention_too_long")
        assert "expires_at" in refused["detail"]
