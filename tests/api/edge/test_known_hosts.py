"""Without keys: only known hosts are answered, and no page of another site sends anything."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import problem

PATH = "/v1/collections/none"
FOREIGN = "http://evil.example"
KEY = "correct-horse-battery-staple"

WithSettings = Callable[..., TestClient]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "console.localhost",
        "127.0.0.1:8000",
        "192.0.2.7",
        "[::1]:8000",
        "[2001:db8::1]",
        "faces.example",
        "Faces.Example.:8443",
    ],
)
def test_known_hosts_are_answered(with_settings: WithSettings, host: str) -> None:
    client = with_settings(hosts="faces.example")
    assert client.get("/v1/info", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/info", "/console/", "/docs", "/openapi.json", "/"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.example", ""]
)
def test_other_hosts_are_refused(with_settings: WithSettings, path: str, host: str) -> None:
    problem(with_settings(hosts="").get(path, headers={"host": host}), 421, "host_unknown")


def test_monitoring_asks_under_any_name(with_settings: WithSettings) -> None:
    client = with_settings(hosts="")
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.get(path, headers={"host": "vultus"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": FOREIGN},
        {"origin": "null"},
        {"origin": FOREIGN, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://other.localhost"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
def test_pages_of_other_sites_change_nothing(
    with_settings: WithSettings, headers: dict[str, str]
) -> None:
    client = with_settings(hosts="")
    sent = {"host": "localhost:8000", **headers}
    problem(client.delete(PATH, headers=sent), 403, "cross_site")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8000"},
        {"origin": "https://faces.example"},
        {"origin": "https://faces.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "https://page.example", "sec-fetch-site": "cross-site"},
    ],
)
def test_programs_own_pages_and_named_origins_are_answered(
    with_settings: WithSettings, headers: dict[str, str]
) -> None:
    client = with_settings(hosts="faces.example", cors_origins="https://page.example")
    sent = {"host": "localhost:8000", **headers}
    problem(client.delete(PATH, headers=sent), 404, "collection_not_found")


def test_links_on_other_sites_lead_here(with_settings: WithSettings) -> None:
    headers = {"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    client = with_settings(hosts="")
    assert client.get("/v1/info", headers=headers).status_code == 200
    assert client.get("/console/", headers=headers).status_code == 200
    headers["sec-fetch-mode"] = "no-cors"  # a picture or script of the page
    problem(client.get("/v1/info", headers=headers), 403, "cross_site")


def test_where_keys_are_demanded_any_name_is_answered(
    with_settings: WithSettings,
) -> None:
    headers = {"host": "evil.example", "origin": FOREIGN, "x-api-key": KEY}
    assert with_settings(hosts="", api_keys=KEY).get("/v1/info", headers=headers).is_success


def test_answers_of_the_api_are_kept_by_no_cache(client: TestClient) -> None:
    for answer in (client.get("/v1/info"), client.get(PATH), client.get("/v1/none")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
