"""What clients ask beside faces."""

import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize("path", ["/v1/server/status/ping", "/v1/status/ping"])
def test_ping_needs_no_key(keyed: TestClient, path: str) -> None:
    answer = keyed.get(path)
    assert answer.status_code == 200
    assert answer.json() == {"success": True}


def test_version_is_the_latest(keyed: TestClient) -> None:
    answer = keyed.get("/v1/status/updateavailable").json()
    assert answer["success"] is True
    assert answer["updateAvailable"] is False
    assert answer["current"] == answer["latest"]
    assert {"major", "minor", "patch"} <= answer["current"].keys()


def test_there_are_no_models_of_objects(keyed: TestClient) -> None:
    answer = keyed.post("/v1/vision/custom/list").json()
    assert (answer["success"], answer["models"]) == (True, [])


@pytest.mark.parametrize("path", ["detection", "scene", "custom/licence-plates", "enhance"])
def test_objects_are_not_activated(keyed: TestClient, path: str) -> None:
    answer = keyed.post(f"/v1/vision/{path}", files={"image": b"photo"})
    assert answer.status_code == 403
    body = answer.json()
    assert (body["success"], body["duration"]) == (False, 0)
    assert body["error"].endswith("endpoint not activated")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/vision", 404),
        ("POST", "/v1/vision/face/other", 404),
        ("GET", "/v1/vision/face/recognize", 405),
        ("DELETE", "/v1/vision/face/list", 405),
        ("GET", "/v1/server/other", 404),
    ],
)
def test_other_requests_are_refused_in_the_same_form(
    keyed: TestClient, method: str, path: str, status: int
) -> None:
    answer = keyed.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["success"] is False
    assert body["error"]
