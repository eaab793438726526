"""Every error is one format with a stable code and tells nothing it should not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.errors import DatabaseUnavailable, Overloaded
from app.gallery.store.database_watch import Look
from app.main import create_app
from app.services import build_services
from app.settings import Settings
from tests.api.conftest import image, images, photo, problem
from tests.kit import photos


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[TestClient]:
    """A service with small limits and API keys."""
    settings = Settings(
        data_dir=tmp_path,
        device="cpu",
        api_keys="first, second",
        limits={
            "max_image_bytes": 200_000,
            "max_pixels": 300_000,
            "max_request_bytes": 400_000,
            "max_images": 3,
        },
    )
    services = build_services(settings)
    with TestClient(create_app(settings, services)) as client:
        yield client


KEY = {"x-api-key": "second"}
FORM = b'--b\r\nContent-Disposition: form-data; name="image"\r\n\r\nx\r\n--b--\r\n'


def test_key_is_wanted_on_the_api_and_nowhere_else(strict: TestClient) -> None:
    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": ""}):
        body = problem(strict.get("/v1/info", headers=headers), 401, "unauthorized")
        assert "x-api-key" in body["detail"]
    assert strict.get("/v1/info", headers=KEY).status_code == 200
    assert strict.get("/v1/info", headers={"x-api-key": "first"}).status_code == 200
    for open_path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert strict.get(open_path).status_code == 200


def test_keyless_body_is_not_even_parsed(strict: TestClient) -> None:
    for url in ("/v1/collections", "/v1/collections/default/search"):
        headers = {"content-type": "application/json"}
        problem(strict.post(url, content=b"{", headers=headers), 401, "unauthorized")


def test_body_without_images_has_a_small_cap(client: TestClient) -> None:
    long = {"name": "a", "description": "x" * 1_000_001}
    problem(client.post("/v1/collections", json=long), 413, "request_too_large")


@pytest.mark.parametrize(
    "path", ["collections?limt=1", "collections/default/identities?external-id=1"]
)
def test_misspelt_query_parameters_are_refused(client: TestClient, path: str) -> None:
    problem(client.get(f"/v1/{path}"), 422, "invalid_request")
    url = "/v1/collections/default/identify?treshold=0.2"
    assert (
        "threshold"
        in problem(client.post(url, files=image("coffee")), 422, "invalid_request")["detail"]
    )


def test_unauthorized_upload_is_refused_before_it_is_looked_at(strict: TestClient) -> None:
    problem(strict.post("/v1/detect", content=b"garbage"), 401, "unauthorized")


def test_body_over_the_cap_is_refused_by_its_length(strict: TestClient) -> None:
    response = strict.post("/v1/detect", content=b"x" * 400_001, headers=KEY)
    assert "0.4 MB" in problem(response, 413, "request_too_large")["detail"]


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=b"])
def test_body_over_the_cap_is_refused_without_a_length(
    strict: TestClient, content_type: str
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n'
        for _ in range(50):
            yield b"x" * 10_000

    headers = {**KEY, "content-type": content_type}
    response = strict.post("/v1/detect", content=chunks(), headers=headers)
    problem(response, 413, "request_too_large")


def test_image_over_the_byte_cap_is_refused(strict: TestClient) -> None:
    big = photos.encoded(photos.astronaut(), "BMP")[:250_000]
    response = strict.post("/v1/detect", files={"image": ("a.bmp", big)}, headers=KEY)
    assert "0.2 MB" in problem(response, 413, "image_too_large")["detail"]


def test_image_over_the_pixel_cap_is_refused(strict: TestClient) -> None:
    response = strict.post("/v1/detect", files=image("hopper"), headers=KEY)
    assert "512 x 600" in problem(response, 413, "image_too_large")["detail"]
    enrolled = strict.post(
        "/v1/collections/default/identities", files=images("hopper"), headers=KEY
    )
    problem(enrolled, 413, "image_too_large")


def test_more_images_than_allowed_are_refused(strict: TestClient) -> None:
    url = "/v1/collections/default/identities"
    four = [("images", (f"{i}.jpg", b"x")) for i in range(4)]
    problem(strict.post(url, files=four, headers=KEY), 422, "invalid_request")
    by_json = strict.post(url, json={"images": ["AA=="] * 4}, headers=KEY)
    assert "limit is 3" in problem(by_json, 422, "invalid_request")["detail"]


def test_unreadable_image_is_refused(client: TestClient) -> None:
    half = photo("astronaut")[:5_000]
    for data in (b"", b"no image", half):
        response = client.post("/v1/detect", files={"image": ("a.jpg", data)})
        problem(response, 422, "image_unreadable")


@pytest.mark.parametrize(
    ("content_type", "content", "status", "code"),
    [
        ("text/plain", b"x", 415, "unsupported_media_type"),
        ("", b"x", 415, "unsupported_media_type"),
        ("application/json", b"{", 422, "invalid_request"),
        ("application/json", b"[]", 422, "invalid_request"),
        ("application/json", b'{"image": "%%%"}', 422, "invalid_request"),
        ("application/json", b'{"image": 5}', 422, "invalid_request"),
        ("application/json", b"{}", 422, "invalid_request"),
        ("application/json", b'{"image": "AA==", "x": 1}', 422, "invalid_request"),
        ("application/json", b"[" * 100_000, 422, "invalid_request"),
        ("multipart/form-data", b"x", 422, "invalid_request"),
        ("multipart/form-data; charset=undefined; boundary=b", FORM, 422, "invalid_request"),
        ("multipart/form-data; boundary=b", b"x", 422, "invalid_request"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--", 422, "invalid_request"),
    ],
)
def test_malformed_bodies_are_refused(
    client: TestClient, content_type: str, content: bytes, status: int, code: str
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    problem(client.post("/v1/detect", content=content, headers=headers), status, code)


def test_wrong_fields_are_named_and_their_values_are_not_echoed(client: TestClient) -> None:
    response = client.post(
        "/v1/collections/default/identify",
        data={"top_k": "many", "threshold": "2"},
        files={"image": ("a.jpg", b"secret-bytes")},
    )
    body = problem(response, 422, "invalid_request")
    assert {entry["field"] for entry in body["errors"]} == {"top_k", "threshold"}
    assert "secret-bytes" not in response.text


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    problem(client.get("/nowhere"), 404, "not_found")
    problem(client.put("/v1/models"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    ["identify", "search", "identities", "identities/x", "identities/x/faces", ""],
)
def test_missing_collection_is_told_from_missing_people(client: TestClient, path: str) -> None:
    url = f"/v1/collections/nowhere/{path}".rstrip("/")
    if path == "identify":
        response = client.post(url, files=image("coffee"))
    elif path == "search":
        response = client.post(url, json={"embedding": [1.0] * 128})
    else:
        response = client.get(url)
    problem(response, 404, "collection_not_found")


def test_full_queue_answers_503_and_when_to_come_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        await asyncio.sleep(0)
        raise Overloaded("full")

    monkeypatch.setattr("app.recognition.scheduler.Scheduler.submit", full)
    response = client.post("/v1/detect", files=image("coffee"))
    problem(response, 503, "overloaded")
    assert int(response.headers["retry-after"]) >= 1


def test_database_away_answers_503(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> Look:
        return Look(DatabaseUnavailable("gone"), None)

    monkeypatch.setattr("app.gallery.store.database_watch.DatabaseWatch._look", away)
    problem(client.get("/readyz"), 503, "database_unavailable")


def test_service_that_was_not_started_is_not_ready(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, device="cpu")
    services = build_services(settings)
    unstarted = TestClient(create_app(settings, services))
    problem(unstarted.get("/readyz"), 503, "not_ready")
    assert unstarted.get("/healthz").json() == {"status": "ok"}
    asyncio.run(services.stop())


def test_defect_shows_a_request_id_and_nothing_else(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr("app.gallery.gallery_collections.GalleryCollections.page", broken)
    response = client.get("/v1/collections", headers={"x-request-id": "mine-1"})
    body = problem(response, 500, "internal_error")
    assert body["request_id"] == "mine-1"
    assert "secret" not in response.text
    assert "mine-1" in caplog.text


def test_request_ids_that_are_no_ids_are_replaced(client: TestClient) -> None:
    for wanted in ("a b", "x" * 65, "a;b"):
        response = client.get("/healthz", headers={"x-request-id": wanted})
        assert response.headers["x-request-id"] != wanted
        assert len(response.headers["x-request-id"]) == 32
