"""Webhooks over HTTP: made, listed, changed, tested and removed; secrets are shown once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.services.delivery.webhooks.webhook_service import WebhookService
from app.settings import WebhookSettings
from tests.api.conftest import problem
from tests.kit.api_keys import new_key
from tests.kit.webhook_receiver import Receiver, receiving

NO_ID = "0" * 12


@pytest.fixture
def receiver(tight: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver on this machine, which the service may reach."""
    services: Any = tight.app.state.services  # type: ignore[attr-defined]
    settings = WebhookSettings(http=True, networks=("127.0.0.0/8",), timeout_s=5)
    monkeypatch.setattr(services, "webhooks", WebhookService(services.webhooks.kept, settings))
    with receiving() as started:
        yield started
        for webhook in tight.get("/v1/webhooks").json()["webhooks"]:
            assert tight.delete(f"/v1/webhooks/{webhook['id']}").status_code == 204


def _make(client: TestClient, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    body = {"name": "door", "url": receiver.url, "types": ["person.matched"], **fields}
    answer = client.post("/v1/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    receiver.secret = made["secret"]
    return made


def test_a_secret_is_shown_once_and_signs_a_test(tight: TestClient, receiver: Receiver) -> None:
    made = _make(tight, receiver)
    webhook = made["webhook"]
    assert made["secret"].startswith("whsec_")
    assert (webhook["enabled"], webhook["created_by"]) == (True, "key 1")
    url = f"/v1/webhooks/{webhook['id']}"
    answer = tight.post(f"{url}:test")
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]) == (200, 200, None)
    (message,) = receiver.came
    assert (message.type, message.data) == ("webhook.test", {"webhook_id": webhook["id"]})
    (attempt,) = tight.get(f"{url}/deliveries").json()["attempts"]
    assert attempt == answer.json()
    for shown in (tight.get(url), tight.get("/v1/webhooks"), tight.get("/v1/audit")):
        assert webhook["id"] in shown.text
        assert made["secret"] not in shown.text
        assert "whsec_" not in shown.text


def test_a_rotated_secret_signs_beside_the_former_one(
    tight: TestClient, receiver: Receiver
) -> None:
    made = _make(tight, receiver)
    url = f"/v1/webhooks/{made['webhook']['id']}"
    rotated = tight.post(f"{url}:rotate", json={"overlap_s": 60})
    assert rotated.status_code == 201
    assert rotated.json()["secret"] != made["secret"]
    assert rotated.json()["webhook"]["former_secret_until"] is not None
    for secret in (made["secret"], rotated.json()["secret"]):
        receiver.secret = secret
        assert tight.post(f"{url}:test").json()["error"] is None
    at_once = tight.post(f"{url}:rotate", json={"overlap_s": 0}).json()
    assert at_once["webhook"]["former_secret_until"] is None
    assert tight.post(f"{url}:test").json()["error"] == "answered 401"


def test_a_webhook_is_changed_stopped_and_enabled(tight: TestClient, receiver: Receiver) -> None:
    url = f"/v1/webhooks/{_make(tight, receiver)['webhook']['id']}"
    changed = tight.patch(url, json={"name": "gate", "types": None, "enabled": False}).json()
    assert (changed["name"], changed["types"]) == ("gate", None)
    assert (changed["enabled"], changed["stopped_because"]) == (False, "asked")
    assert tight.patch(url, json={"enabled": True}).json()["enabled"] is True
    lines = tight.get("/v1/audit", params={"action": "webhook.changed"}).json()["lines"]
    assert lines[1]["details"]["fields"] == ["name", "types", "enabled"]
    assert tight.patch(url, json={"url": f"{receiver.url}?token=x"}).status_code == 200
    (line,) = tight.get("/v1/audit", params={"action": "webhook.changed", "limit": 1}).json()[
        "lines"
    ]
    assert line["details"]["host"] == "127.0.0.1"
    assert "token" not in str(line)
    for wrong in ({}, {"enabled": None}, {"url": None}, {"types": ["person.seen"]}):
        problem(tight.patch(url, json=wrong), 422, "invalid_request")


def test_events_are_replayed_from_a_position(tight: TestClient, receiver: Receiver) -> None:
    webhook = _make(tight, receiver)["webhook"]
    url = f"/v1/webhooks/{webhook['id']}"
    replayed = tight.post(f"{url}:replay", json={"after": 0})
    assert replayed.json()["position"] == 0
    answer = tight.post(f"{url}:replay", json={"after": 2**40})
    problem(answer, 404, "event_not_kept")
    problem(tight.post(f"{url}:replay", json={"dead_letter": 1}), 404, "event_not_kept")
    problem(tight.post(f"{url}:replay", json={}), 422, "invalid_request")
    assert tight.get(f"{url}/dead_letters").json() == {"dead_letters": [], "next_cursor": None}


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://nobody.invalid/",
        "https://user:password@example.com/",
    ],
)
def test_a_target_that_is_not_permitted_is_refused(tight: TestClient, url: str) -> None:
    answer = tight.post("/v1/webhooks", json={"name": "a", "url": url})
    body = problem(answer, 422, "webhook_target_refused")
    assert "VULTUS_WEBHOOKS__" in body["detail"]


def test_a_key_of_some_collections_makes_and_sees_webhooks_of_these_alone(
    tight: TestClient, receiver: Receiver
) -> None:
    everywhere = _make(tight, receiver)["webhook"]["id"]
    _, key = new_key(tight, role="admin", collections=["hooked"])
    _, blind = new_key(tight, rights=["admin"])

    def make(headers: dict[str, str], **fields: Any) -> Response:
        body = {"name": "a", "url": receiver.url, **fields}
        return tight.post("/v1/webhooks", json=body, headers=headers)

    problem(make(key), 403, "collection_not_granted")
    problem(make(key, collections=["hooked", "other"]), 403, "collection_not_granted")
    assert problem(make(blind), 403, "missing_right")["missing_right"] == "read"
    own = make(key, collections=["hooked"]).json()["webhook"]["id"]
    listed = tight.get("/v1/webhooks", headers=key).json()["webhooks"]
    assert [webhook["id"] for webhook in listed] == [own]
    requests: list[Callable[[str], Response]] = [
        lambda url: tight.get(url, headers=key),
        lambda url: tight.patch(url, json={"enabled": False}, headers=key),
        lambda url: tight.post(f"{url}:rotate", json={}, headers=key),
        lambda url: tight.post(f"{url}:test", headers=key),
        lambda url: tight.post(f"{url}:replay", json={"after": 0}, headers=key),
        lambda url: tight.get(f"{url}/deliveries", headers=key),
        lambda url: tight.get(f"{url}/dead_letters", headers=key),
        lambda url: tight.delete(url, headers=key),
    ]
    for request in requests:
        for webhook_id in (everywhere, NO_ID):
            problem(request(f"/v1/webhooks/{webhook_id}"), 404, "webhook_not_found")
    widened = tight.patch(f"/v1/webhooks/{own}", json={"collections": None}, headers=key)
    problem(widened, 403, "collection_not_granted")
