"""The caller of a request, and what they may do."""

from fastapi.testclient import TestClient

from tests.api.conftest import problem

_RIGHTS = ["read", "identify", "enroll", "correct", "templates", "audit", "admin"]


def test_without_keys_every_caller_may_do_everything(client: TestClient) -> None:
    for headers in ({}, {"x-api-key": "one that nobody asked for"}):
        answer = client.get("/v1/me", headers=headers)
        assert answer.status_code == 200
        assert answer.json() == {
            "authentication": "none",
            "id": None,
            "name": None,
            "role": "admin",
            "rights": _RIGHTS,
            "collections": None,
            "expires_at": None,
        }


def test_a_key_is_named_by_its_place_and_never_shown(tight: TestClient) -> None:
    answer = tight.get("/v1/me")
    assert answer.json() == {
        "authentication": "api_key",
        "id": None,
        "name": "key 1",
        "role": "admin",
        "rights": _RIGHTS,
        "collections": None,
        "expires_at": None,
    }


def test_a_wrong_or_missing_key_has_no_answer(tight: TestClient) -> None:
    problem(tight.get("/v1/me", headers={"x-api-key": "ke"}), 401, "unauthorized")
    problem(tight.get("/v1/me", headers={"x-api-key": ""}), 401, "unauthorized")
