"""Which requests speak which API, and which are answered by none of them."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app.compat.dialects import dialects_named
from app.settings import COMPATIBLE_APIS, Settings

_OF_PHOTOS = {
    "compreface": "/api/v1/recognition/recognize",
    "deepstack": "/v1/vision/face/recognize",
    "rekognition": "/rekognition",
}
_TARGET = {"x-amz-target": "RekognitionService.NoSuch"}


def _words(answer_body: dict[str, object]) -> str:
    """The API whose words an error has."""
    if "__type" in answer_body:
        return "rekognition"
    if answer_body.get("success") is False:
        return "deepstack"
    if set(answer_body) == {"message", "code"}:
        return "compreface"
    return "vultus" if "request_id" in answer_body else "none"


@pytest.mark.parametrize(
    ("method", "path", "headers", "words"),
    [
        ("POST", "/api/v1/recognition/nowhere", {}, "compreface"),
        ("POST", "/api/v1/recognition/nowhere/", {}, "compreface"),
        ("POST", "/v1/vision/nowhere", {}, "deepstack"),
        ("POST", "/v1/vision/nowhere/", {}, "deepstack"),
        ("POST", "/", _TARGET, "rekognition"),
        ("POST", "/rekognition", _TARGET, "rekognition"),
        ("POST", "/rekognition/", _TARGET, "rekognition"),
        ("POST", "/rekognition/nowhere", _TARGET, "rekognition"),
        ("POST", "/", {}, "vultus"),
        ("POST", "/v1/nowhere", {}, "vultus"),
        ("POST", "/v1/visionary", {}, "vultus"),
        ("POST", "/api/v2", {}, "vultus"),
    ],
)
def test_a_request_is_answered_in_the_words_of_its_api(
    client: TestClient, method: str, path: str, headers: dict[str, str], words: str
) -> None:
    answer = client.request(method, path, headers=headers)
    assert answer.status_code >= 400
    assert _words(answer.json()) == words
    assert ("problem+json" in answer.headers["content-type"]) == (words == "vultus")


@pytest.mark.parametrize("path", ["//api/v1/config", "//v1/vision/face/list/", "//v1/status/ping"])
def test_an_address_with_a_slash_at_its_end_reaches_the_same_routes(
    client: TestClient, path: str
) -> None:
    answer = client.get(f"{client.base_url}{path}")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", COMPATIBLE_APIS)
@pytest.mark.parametrize("form", ["{}", "{}/", "/{}"])
def test_photos_are_expected_on_every_form_of_a_path(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    (dialect,) = dialects_named([name])
    asked: list[bool] = []
    own = type(dialect).brings_photos

    def brings_photos(*request: Any) -> bool:
        asked.append(own(*request))
        return asked[-1]

    monkeypatch.setattr(type(dialect), "brings_photos", brings_photos)
    target = {"x-amz-target": "RekognitionService.DetectFaces"}
    client.post(f"{client.base_url}{form.format(_OF_PHOTOS[name])}", headers=target)
    assert asked == [True]


def test_the_welcome_page_stays_beside_rekognition(client: TestClient) -> None:
    assert client.get("/", headers={"accept": "application/json"}).json()["name"] == "Vultus"


def test_only_the_apis_that_the_setting_names_are_answered(
    with_settings: Callable[..., TestClient],
) -> None:
    client = with_settings(compat="deepstack")
    assert _words(client.post("/v1/vision/nowhere").json()) == "deepstack"
    assert _words(client.post("/api/v1/recognition/nowhere").json()) == "vultus"
    assert _words(client.post("/", headers=_TARGET).json()) == "vultus"


def test_an_empty_setting_turns_all_of_them_off(with_settings: Callable[..., TestClient]) -> None:
    client = with_settings(compat="")
    assert _words(client.post("/v1/vision/nowhere").json()) == "vultus"


def test_an_unknown_api_in_the_setting_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="'azure' must be one of compreface, deepstack, rek"):
        Settings(compat="deepstack,azure")


def test_each_name_of_the_setting_is_a_dialect() -> None:
    assert [dialect.name for dialect in dialects_named(COMPATIBLE_APIS)] == [*COMPATIBLE_APIS]


def test_the_document_of_the_api_describes_none_of_them(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert [path for path in paths if "vision" in path or path.startswith(("/api", "/rek"))] == []


@pytest.mark.parametrize("prefix", ["", "/faces"])
def test_they_are_answered_behind_the_path_of_a_proxy(
    with_settings: Callable[..., TestClient], prefix: str
) -> None:
    client = with_settings(root_path="/faces")
    assert _words(client.post(f"{prefix}/v1/vision/nowhere").json()) == "deepstack"
    assert _words(client.post(f"{prefix}/api/v1/nowhere").json()) == "compreface"
    assert _words(client.post(f"{prefix}/rekognition", headers=_TARGET).json()) == "rekognition"
