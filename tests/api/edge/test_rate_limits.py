"""A caller who sends too much is told so, and nobody else is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.api.edge.callers import limited_by
from app.main import create_app
from app.services import build_services
from app.settings import Settings
from tests.api.conftest import problem
from tests.kit.api_keys import new_key

OPEN_PATHS = ("/healthz", "/readyz", "/metrics")


@pytest.fixture
def app(tmp_path: Path) -> Callable[..., FastAPI]:
    def make(*, api_keys: str = "", **limits: Any) -> FastAPI:
        settings = Settings(data_dir=tmp_path, device="cpu", api_keys=api_keys, limits=limits)
        return create_app(settings, build_services(settings))

    return make


def _statuses(client: TestClient, count: int, **headers: str) -> list[int]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [client.get("/v1/info", headers=named).status_code for _ in range(count)]


def test_requests_above_the_rate_are_told_when_to_come_back(app: Callable[..., FastAPI]) -> None:
    # So slow that no token comes while the test runs.
    with TestClient(app(requests_per_s=0.001, requests_burst=3)) as client:
        assert _statuses(client, 3) == [200] * 3
        refused = client.get("/v1/info")
        body = problem(refused, 429, "rate_limited")
        assert "VULTUS_LIMITS__REQUESTS_PER_S" in body["detail"]
        assert 900 < int(refused.headers["retry-after"]) <= 1_000
        problem(client.get("/v1/nowhere"), 429, "rate_limited")
        for path in OPEN_PATHS:
            assert client.get(path).status_code == 200
        assert 'status="429"' in client.get("/metrics").text


def test_each_key_has_a_rate_of_its_own(app: Callable[..., FastAPI]) -> None:
    limited = app(api_keys="first, second", requests_per_s=0.001, requests_burst=2)
    with TestClient(limited) as client:
        assert _statuses(client, 3, x_api_key="first") == [200, 200, 429]
        assert _statuses(client, 3, x_api_key="second") == [200, 200, 429]
        # Without a valid key it is the address that counts, whatever was sent.
        assert _statuses(client, 1) == [401]
        assert [_statuses(client, 1, x_api_key=f"guess {i}") for i in range(3)] == [
            [401],
            [429],
            [429],
        ]


def test_a_key_of_the_database_has_a_rate_of_its_own(app: Callable[..., FastAPI]) -> None:
    limited = app(api_keys="first", requests_per_s=0.001, requests_burst=3)
    with TestClient(limited, headers={"x-api-key": "first"}) as client:
        (_, one), (_, other) = (new_key(client, role="viewer") for _ in range(2))
        for key in (one, other):
            assert _statuses(client, 4, **key) == [200, 200, 200, 429]


def test_callers_own_requests_at_once_are_limited(
    app: Callable[..., FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = Event(), Event()

    def hang(*_: object, **__: object) -> None:
        begun.set()
        assert go_on.wait(60)

    first, second = {"x-api-key": "first"}, {"x-api-key": "second"}
    with TestClient(app(api_keys="first, second", concurrent_requests=1)) as client:
        with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patch:
            patch.setattr("app.gallery.gallery_collections.GalleryCollections.require", hang)
            url = "/v1/collections/default/identities:batch"
            lines = {"content-type": "application/x-ndjson"}
            held = pool.submit(lambda: client.post(url, content=b"", headers={**first, **lines}))
            assert begun.wait(60)
            refused = client.get("/v1/info", headers=first)
            body = problem(refused, 429, "too_many_at_once")
            assert "VULTUS_LIMITS__CONCURRENT_REQUESTS" in body["detail"]
            assert int(refused.headers["retry-after"]) >= 1
            assert client.get("/v1/info", headers=second).status_code == 200
            for path in OPEN_PATHS:
                assert client.get(path).status_code == 200
            go_on.set()
            assert held.result(60).status_code == 200
        assert client.get("/v1/info", headers=first).status_code == 200


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        (None, None, True),
    ],
)
def test_address_counts_and_of_ipv6_the_network(
    one: str | None, other: str | None, alike: bool
) -> None:
    def caller(host: str | None) -> str:
        client = None if host is None else (host, 1)
        return limited_by({"type": "http", "headers": [], "client": client})

    assert (caller(one) == caller(other)) is alike


def test_without_limits_nobody_is_refused(client: TestClient) -> None:
    assert _statuses(client, 50) == [200] * 50
