"""HTTP as its RFCs have it: HEAD, Allow, other spellings of a path, prefixes, other origins."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app.settings import Settings
from tests.api.conftest import problem

COLLECTION = "/v1/collections/default"
ORIGIN = "https://app.example"


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/info",
        "/v1/models",
        "/v1/collections",
        COLLECTION,
        f"{COLLECTION}/identities?limit=1",
        "/openapi.json",
        "/docs",
        "/",
    ],
)
def test_head_is_get_without_a_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    changing = {"server-timing", "x-request-id", "content-length"}
    assert set(head.headers) == set(get.headers)
    for name in set(get.headers) - changing:
        assert head.headers[name] == get.headers[name]
    if path not in {"/metrics", "/v1/info"}:
        assert head.headers["content-length"] == get.headers["content-length"]


def test_head_of_what_is_not_there_has_no_body_either(client: TestClient) -> None:
    for path in ("/nowhere", "/v1/collections/nowhere"):
        response = client.head(path)
        assert (response.status_code, response.content) == (404, b"")
        assert response.headers["content-type"] == "application/problem+json"


def test_head_is_counted_under_its_route(client: TestClient) -> None:
    client.head("/v1/models")
    counted = client.get("/metrics").text
    assert 'vultus_requests_total{method="HEAD",route="/v1/models",status="200"}' in counted


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", COLLECTION, "DELETE, GET, HEAD, PATCH"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/collections", "GET, HEAD, POST"),
        ("PUT", f"{COLLECTION}/identities", "GET, HEAD, POST"),
        ("PUT", f"{COLLECTION}/identities/x", "DELETE, GET, HEAD, PATCH"),
        ("GET", f"{COLLECTION}/identify", "POST"),
        ("HEAD", "/v1/verify", "POST"),
        ("OPTIONS", COLLECTION, "DELETE, GET, HEAD, PATCH"),
        ("TRACE", "/healthz", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("PUT", f"{COLLECTION}/calibration", "DELETE, GET, HEAD, POST"),
    ],
)
def test_refused_method_comes_with_all_that_are_allowed(
    client: TestClient, method: str, path: str, allow: str
) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert response.headers["allow"] == allow
    if method != "HEAD":
        body = problem(response, 405, "method_not_allowed")
        assert all(name in body["detail"] for name in allow.split(", "))


def test_every_documented_method_of_a_path_is_allowed(client: TestClient) -> None:
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        allow = client.request("TRACE", re.sub(r"\{\w+\}", "x", path)).headers["allow"]
        assert {name.upper() for name in operations} == set(allow.split(", ")) - {"HEAD"}


@pytest.mark.parametrize(
    ("sent", "better"),
    [
        ("/v1/collections/", "/v1/collections"),
        ("/v1//collections", "/v1/collections"),
        ("//v1/collections", "/v1/collections"),
        ("//v1//collections///default//?a=b&c=%2F", "/v1/collections/default?a=b&c=%2F"),
        ("/v1/collections/default/identities/ext:a%20b/", f"{COLLECTION}/identities/ext:a%20b"),
        ("/docs/", "/docs"),
        ("//", "/"),
    ],
)
def test_other_spellings_of_a_path_lead_to_it(client: TestClient, sent: str, better: str) -> None:
    for method in ("GET", "POST"):
        response = client.request(method, f"http://testserver{sent}", follow_redirects=False)
        assert (response.status_code, response.headers["location"]) == (307, better)
        assert response.headers["x-request-id"]


@pytest.mark.parametrize(
    "path",
    ["/nowhere/", "//evil.example", "//evil.example/v1/collections", "/v1/", "/docs/x/"],
)
def test_what_has_no_route_in_any_spelling_is_not_found(client: TestClient, path: str) -> None:
    response = client.get(f"http://testserver{path}", follow_redirects=False)
    body = problem(response, 404, "not_found")
    assert "/docs" in body["detail"]


def test_long_path_is_not_repeated_in_full(client: TestClient) -> None:
    response = client.get("/" + "a" * 50_000)
    problem(response, 404, "not_found")
    assert len(response.content) < 1_000


def test_root_leads_browsers_to_the_console_and_others_to_everything(client: TestClient) -> None:
    browser = client.get("/", headers={"accept": "text/html,*/*;q=0.8"}, follow_redirects=False)
    assert (browser.status_code, browser.headers["location"]) == (307, "console/")
    other = client.get("/")
    assert other.json()["name"] == "Vultus"
    for answer in (browser, other):
        assert answer.headers["vary"] == "Accept"
    for name in ("console", "documentation", "openapi", "health", "readiness", "metrics"):
        assert client.get(other.json()[name]).status_code == 200


@pytest.mark.parametrize("prefix", ["", "/faces"])
def test_prefix_is_kept_in_links_whether_the_proxy_strips_it_or_not(
    with_settings: Callable[..., TestClient], prefix: str
) -> None:
    client = with_settings(root_path="/faces/")
    assert client.get(f"{prefix}/healthz").json() == {"status": "ok"}
    assert client.get(f"{prefix}/v1/collections").status_code == 200
    assert client.get(f"{prefix}/openapi.json").json()["servers"] == [{"url": "/faces"}]
    html = {"accept": "text/html"}
    assert client.get(f"{prefix}/", headers=html).headers["location"] == "/faces/console/"
    assert client.get(f"{prefix}/").json()["openapi"] == "/faces/openapi.json"
    redirect = client.get(f"{prefix}/v1//collections/?a=b")
    assert redirect.headers["location"] == "/faces/v1/collections?a=b"
    assert "see /faces/docs" in problem(client.get(f"{prefix}/x"), 404, "not_found")["detail"]
    assert 'route="/v1/collections"' in client.get(f"{prefix}/metrics").text
    assert "server-timing" in client.get(f"{prefix}/v1/info").headers


def test_prefix_itself_is_the_root(with_settings: Callable[..., TestClient]) -> None:
    client = with_settings(root_path="/faces")
    assert client.get("/faces").json()["name"] == "Vultus"
    problem(client.get("/facesandmore"), 404, "not_found")


@pytest.mark.parametrize(
    "settings",
    [
        {"root_path": "faces"},
        {"root_path": "/faces?x"},
        {"root_path": "//evil.example"},
        {"root_path": "/v1"},
        {"trusted_proxies": "proxy.example"},
        {"trusted_proxies": "10.0.0.1/8"},
        {"cors_origins": "app.example"},
        {"cors_origins": "https://app.example/"},
        {"cors_origins": "https://App.example"},
    ],
)
def test_settings_that_would_never_fit_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="must"):
        Settings(**settings)


def _preflight(client: TestClient, origin: str, **headers: str) -> Any:
    asked = {"origin": origin, "access-control-request-method": "POST"}
    asked |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.options(f"{COLLECTION}/identify", headers=asked)


def test_other_origins_are_let_in_by_no_default(client: TestClient) -> None:
    assert _preflight(client, ORIGIN).status_code == 405
    answer = client.get("/v1/models", headers={"origin": ORIGIN})
    assert "access-control-allow-origin" not in answer.headers


def test_named_origins_may_use_the_api(with_settings: Callable[..., TestClient]) -> None:
    client = with_settings(cors_origins=f"{ORIGIN}, http://localhost:3000")
    allowed = _preflight(
        client, ORIGIN, access_control_request_headers="content-type, x-api-key, idempotency-key"
    )
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert allowed.headers["x-request-id"]
    of_aws = "authorization, x-amz-date, x-amz-target, x-amz-user-agent, amz-sdk-request"
    signed = _preflight(client, ORIGIN, access_control_request_headers=of_aws)
    assert signed.status_code == 200
    for path, status in (("/v1/models", 200), ("/nowhere", 404), (f"{COLLECTION}/search", 405)):
        answer = client.get(path, headers={"origin": ORIGIN})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()
    assert client.put(COLLECTION).headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"
    options = client.options(COLLECTION)
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


def test_other_origins_than_those_named_are_refused(
    with_settings: Callable[..., TestClient],
) -> None:
    client = with_settings(cors_origins=ORIGIN)
    body = problem(_preflight(client, "https://evil.example"), 422, "invalid_request")
    assert "VULTUS_CORS_ORIGINS" in body["detail"]
    answer = client.get("/v1/models", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_defects_and_refusals_can_be_read_by_pages_of_other_origins(
    with_settings: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    client = with_settings(cors_origins="*")
    monkeypatch.setattr("app.gallery.gallery_collections.GalleryCollections.page", broken)
    answer = client.get("/v1/collections", headers={"origin": ORIGIN})
    problem(answer, 500, "internal_error")
    assert answer.headers["access-control-allow-origin"] == "*"
